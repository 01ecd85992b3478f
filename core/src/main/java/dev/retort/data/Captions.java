package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is written about the pictures of a folder: {@code NAME.txt} beside {@code NAME.jpg}, else the picture's line in a
 * {@code metadata.jsonl}, whose {@code file_name} counts from that file's folder and whose {@code text} or {@code caption}
 * is the caption.
 */
final class Captions {
    private static final String METADATA = "metadata.jsonl";

    private final Path folder;
    private final Set<String> files;
    private final Map<String, String> listed = new HashMap<>();

    /** @param all every file of the folder, relative to it, with forward slashes */
    Captions(Path folder, List<String> all) {
        this.folder = folder;
        files = new HashSet<>(all);
        all.stream()
                .filter(file -> file.equals(METADATA) || file.endsWith("/" + METADATA))
                .forEach(this::list);
    }

    private void list(String metadata) {
        String inside = metadata.substring(0, metadata.length() - METADATA.length());
        List<String> lines;
        try {
            lines = Files.readAllLines(folder.resolve(metadata), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw refused(metadata, e.getMessage(), e);
        }
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            try {
                JsonNode line = JsonMapper.shared().readTree(lines.get(i));
                JsonNode text = line.has("text") ? line.path("text") : line.path("caption");
                if (!line.path("file_name").isString() || !text.isMissingNode() && !text.isString()) {
                    throw refused(metadata, "line " + (i + 1) + " has no file_name, or a text that is none", null);
                }
                if (text.isString()) {
                    listed.put(inside + line.path("file_name").asString(), text.asString());
                }
            } catch (JacksonException e) {
                throw refused(metadata, "line " + (i + 1) + " is no JSON", e);
            }
        }
    }

    /** The caption of a picture, by its path relative to the folder. */
    Optional<String> of(String picture) {
        String text = picture.substring(0, picture.lastIndexOf('.')) + ".txt";
        if (!files.contains(text)) {
            return Optional.ofNullable(listed.get(picture));
        }
        try {
            return Optional.of(Files.readString(folder.resolve(text), StandardCharsets.UTF_8)
                    .strip());
        } catch (IOException e) {
            throw refused(text, e.getMessage(), e);
        }
    }

    private RetortException refused(String file, String why, Exception cause) {
        return new RetortException(
                Kind.DATA,
                "cannot read the captions in " + folder.resolve(file) + " (" + why + "); repair or remove the file",
                cause);
    }
}
