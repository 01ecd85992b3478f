package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is written about the pictures of a set: {@code NAME.txt} beside {@code NAME.jpg}, else the picture's line in a
 * {@code metadata.jsonl} or {@code metadata.csv}, whose {@code file_name} counts from that file's folder and whose
 * {@code text} or {@code caption} is the caption.
 */
final class Captions {
    private static final String JSON_LINES = "metadata.jsonl";
    private static final String CSV = "metadata.csv";
    private static final int LISTED = 3;

    private final Map<String, StoredFile> texts = new HashMap<>();
    private final Map<String, String> listed = new HashMap<>();
    private final List<String> notes = new ArrayList<>();

    /** @param all every file of the set */
    Captions(Collection<StoredFile> all) {
        Map<String, StoredFile> names = new HashMap<>();
        all.forEach(file -> names.put(file.name(), file));
        for (StoredFile file : all) {
            if (ImageNames.hiddenPart(file.path()).isPresent()) {
                continue;
            }
            String last = ImageNames.file(file.path());
            if (ImageNames.ending(last).equals("txt")) {
                texts.put(ImageNames.withoutEnding(file.name()), file);
            } else if (last.equals(JSON_LINES) || last.equals(CSV)) {
                list(file, last, names);
            }
        }
    }

    /** Whether a file may hold captions. */
    static boolean mayBeIn(String path) {
        String last = ImageNames.file(path);
        return ImageNames.ending(last).equals("txt") || last.equals(JSON_LINES) || last.equals(CSV);
    }

    private void list(StoredFile metadata, String kind, Map<String, StoredFile> names) {
        Map<String, String> captions = kind.equals(CSV) ? ofTable(metadata) : ofLines(metadata);
        String inside = metadata.name().substring(0, metadata.name().length() - kind.length());
        List<String> missing = new ArrayList<>();
        captions.forEach((file, text) -> {
            if (names.containsKey(inside + file)) {
                listed.put(inside + file, text);
            } else {
                missing.add(file);
            }
        });
        if (captions.isEmpty()) {
            notes.add("no captions in " + metadata.name() + ": it has no file_name with a text or caption");
        } else if (!missing.isEmpty()) {
            notes.add("left out: captions in " + metadata.name() + " of files that are not there: "
                    + FirstFew.of(missing.stream().sorted().toList(), LISTED));
        }
    }

    private static Map<String, String> ofLines(StoredFile metadata) {
        Map<String, String> captions = new HashMap<>();
        List<String> lines = text(metadata).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            try {
                JsonNode line = JsonMapper.shared().readTree(lines.get(i));
                JsonNode text = line.has("text") ? line.path("text") : line.path("caption");
                if (!line.path("file_name").isString() || !text.isMissingNode() && !text.isString()) {
                    throw refused(
                            metadata, "line " + (i + 1) + " has no file_name, or a text that is not a string", null);
                }
                if (text.isString()) {
                    captions.put(line.path("file_name").asString(), text.asString());
                }
            } catch (JacksonException e) {
                throw refused(metadata, "line " + (i + 1) + " is not JSON", e);
            }
        }
        return captions;
    }

    private static Map<String, String> ofTable(StoredFile metadata) {
        List<List<String>> rows = CsvTable.rows(text(metadata));
        List<String> columns = rows.isEmpty() ? List.of() : rows.get(0);
        int file = columns.indexOf("file_name");
        int text = columns.contains("text") ? columns.indexOf("text") : columns.indexOf("caption");
        if (file < 0 || text < 0) {
            return Map.of();
        }
        Map<String, String> captions = new HashMap<>();
        for (int i = 1; i < rows.size(); i++) {
            List<String> row = rows.get(i);
            if (row.size() != columns.size()) {
                throw refused(
                        metadata,
                        "row " + i + " has " + row.size() + " fields of " + columns.size() + " columns",
                        null);
            }
            captions.put(row.get(file), row.get(text));
        }
        return captions;
    }

    /** The caption of a picture; empty where it has none. */
    String of(StoredFile picture) {
        StoredFile text = texts.get(ImageNames.withoutEnding(picture.name()));
        return text == null
                ? listed.getOrDefault(picture.name(), "")
                : text(text).strip();
    }

    /** What was left out, a sentence each. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    private static String text(StoredFile file) {
        try {
            return Text.of(file.bytes());
        } catch (CharacterCodingException e) {
            throw refused(file, "it is no UTF-8 text", e);
        } catch (IOException e) {
            throw refused(file, e.getMessage(), e);
        }
    }

    private static RetortException refused(StoredFile file, String why, Exception cause) {
        return new RetortException(
                Kind.DATA,
                "cannot read the captions in " + file.name() + " (" + why + "); repair or remove the file",
                cause);
    }
}
