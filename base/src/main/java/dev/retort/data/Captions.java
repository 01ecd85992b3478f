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
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is written about the pictures of a set: {@code NAME.txt} beside {@code NAME.jpg}, a caption on each line; else the
 * {@code text} or {@code caption} of {@code NAME.json}; else that of the picture's line in a {@code metadata.jsonl} or
 * {@code metadata.csv}, whose {@code file_name} counts from that file's folder. In JSON it may be a list. What is there but
 * empty is an empty caption.
 */
final class Captions {
    private static final String JSON_LINES = "metadata.jsonl";
    private static final String CSV = "metadata.csv";
    private static final int LISTED = 3;

    /** What is longer is no note about one picture. */
    private static final long LONGEST_JSON = 1 << 20;

    private final Map<String, StoredFile> texts = new HashMap<>();
    private final Map<String, StoredFile> notesInJson = new HashMap<>();
    private final Map<String, List<String>> listed = new HashMap<>();
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
            } else if (ImageNames.ending(last).equals("json")) {
                notesInJson.put(ImageNames.withoutEnding(file.name()), file);
            } else if (last.equals(JSON_LINES) || last.equals(CSV)) {
                list(file, last, names);
            }
        }
    }

    /** Whether a file of so many bytes may hold captions. */
    static boolean mayBeIn(String path, long bytes) {
        String last = ImageNames.file(path);
        String ending = ImageNames.ending(last);
        return ending.equals("txt") || ending.equals("json") && bytes <= LONGEST_JSON || isList(path);
    }

    /** Whether a file lists captions of others. */
    static boolean isList(String path) {
        String last = ImageNames.file(path);
        return ImageNames.hiddenPart(path).isEmpty() && (last.equals(JSON_LINES) || last.equals(CSV));
    }

    private void list(StoredFile metadata, String kind, Map<String, StoredFile> names) {
        Map<String, List<String>> captions = kind.equals(CSV) ? ofTable(metadata) : ofLines(metadata);
        String inside = metadata.name().substring(0, metadata.name().length() - kind.length());
        List<String> missing = new ArrayList<>();
        captions.forEach((file, texts) -> {
            if (names.containsKey(inside + file)) {
                listed.put(inside + file, texts);
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

    private static Map<String, List<String>> ofLines(StoredFile metadata) {
        Map<String, List<String>> captions = new HashMap<>();
        List<String> lines = text(metadata).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            try {
                JsonNode line = JsonMapper.shared().readTree(lines.get(i));
                Optional<List<String>> texts = ofNode(line);
                if (!line.path("file_name").isString()) {
                    throw refused(metadata, "line " + (i + 1) + " has no file_name", null);
                }
                texts.ifPresent(all -> captions.put(line.path("file_name").asString(), all));
            } catch (IllegalArgumentException e) {
                throw refused(metadata, "line " + (i + 1) + " has " + e.getMessage(), e);
            } catch (JacksonException e) {
                throw refused(metadata, "line " + (i + 1) + " is not JSON", e);
            }
        }
        return captions;
    }

    /** The {@code text} or {@code caption} of an object: one or a list; empty where there is neither. */
    private static Optional<List<String>> ofNode(JsonNode object) {
        JsonNode text = object.has("text") ? object.path("text") : object.path("caption");
        if (text.isMissingNode() || text.isNull()) {
            return Optional.empty();
        }
        List<String> all = new ArrayList<>();
        for (JsonNode one : text.isArray() ? text : List.of(text)) {
            if (!one.isString()) {
                throw new IllegalArgumentException("a text that is neither a string nor a list of strings");
            }
            all.add(one.asString());
        }
        return Optional.of(all.isEmpty() ? List.of("") : all);
    }

    private static Map<String, List<String>> ofTable(StoredFile metadata) {
        List<List<String>> rows = CsvTable.rows(text(metadata));
        List<String> columns = rows.isEmpty() ? List.of() : rows.get(0);
        int file = columns.indexOf("file_name");
        int text = columns.contains("text") ? columns.indexOf("text") : columns.indexOf("caption");
        if (file < 0 || text < 0) {
            return Map.of();
        }
        Map<String, List<String>> captions = new HashMap<>();
        for (int i = 1; i < rows.size(); i++) {
            List<String> row = rows.get(i);
            if (row.size() != columns.size()) {
                throw refused(
                        metadata,
                        "row " + i + " has " + row.size() + " fields of " + columns.size() + " columns",
                        null);
            }
            captions.put(row.get(file), List.of(row.get(text)));
        }
        return captions;
    }

    /** The captions of a picture; none where nothing is written about it. */
    List<String> of(StoredFile picture) {
        String key = ImageNames.withoutEnding(picture.name());
        if (texts.containsKey(key)) {
            List<String> lines = text(texts.get(key))
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
            return lines.isEmpty() ? List.of("") : lines;
        }
        return Optional.ofNullable(notesInJson.get(key))
                .flatMap(Captions::ofJson)
                .orElseGet(() -> listed.getOrDefault(picture.name(), List.of()));
    }

    private static Optional<List<String>> ofJson(StoredFile note) {
        try {
            return ofNode(JsonMapper.shared().readTree(text(note)));
        } catch (JacksonException | IllegalArgumentException e) {
            throw refused(note, e instanceof JacksonException ? "it is not JSON" : "it has " + e.getMessage(), e);
        }
    }

    /** Whether anything is written about a picture. */
    boolean has(StoredFile picture) {
        return texts.containsKey(ImageNames.withoutEnding(picture.name()))
                || !of(picture).isEmpty();
    }

    /** What was left out, a sentence each. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /** The error for pictures that nothing is written about where a network is told by text. */
    static RetortException missing(String set, long count, long all, String first) {
        return new RetortException(
                Kind.DATA,
                (count == all
                                ? "no picture of " + set + " has a caption"
                                : count + " of " + all + " pictures of " + set + " have no caption, the first is "
                                        + first)
                        + "; write one into NAME.txt beside each picture, or into metadata.jsonl (an empty one where a"
                        + " picture is to be learned without text)");
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
