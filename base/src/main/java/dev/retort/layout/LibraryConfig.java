package dev.retort.layout;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.JsonFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A configuration as the diffusers library writes it: one JSON object. A field that is missing or null has the default of
 * the class that reads it; a value of another type is an error that names file and field.
 */
public final class LibraryConfig {
    private static final int LONGEST_SHOWN = 60;

    private final Path file;
    private final JsonNode root;
    private final String advice;

    private LibraryConfig(Path file, JsonNode root, String advice) {
        this.file = file;
        this.root = root;
        this.advice = advice;
    }

    /**
     * Reads a file.
     *
     * @param advice what to do where a field has a value that cannot be used, the end of every such error
     * @throws RetortException of kind CHECKPOINT where it is not a JSON object
     */
    public static LibraryConfig read(Path file, String advice) {
        try {
            JsonNode root = JsonMapper.shared().readTree(Files.readString(file));
            if (!root.isObject()) {
                throw new RetortException(Kind.CHECKPOINT, file + " is not a JSON object; fetch it again");
            }
            return new LibraryConfig(file, root, advice);
        } catch (JacksonException | IOException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, file + " cannot be read as JSON (" + JsonFault.ofFile(e) + "); fetch it again", e);
        }
    }

    /** A configuration without any field, where there is no file. */
    public static LibraryConfig none(Path file) {
        return new LibraryConfig(file, JsonMapper.shared().createObjectNode(), "");
    }

    /** The same with another value of a field. */
    LibraryConfig with(String field, Object value) {
        ObjectNode changed = (ObjectNode) root.deepCopy();
        changed.putPOJO(field, value);
        return new LibraryConfig(file, JsonMapper.shared().readTree(changed.toString()), advice);
    }

    /** Whether there is a value. */
    public boolean has(String field) {
        return root.hasNonNull(field);
    }

    /** Whether a field is there and says null. */
    public boolean isNull(String field) {
        return root.path(field).isNull();
    }

    /** Whether a value is a list. */
    public boolean isList(String field) {
        return root.path(field).isArray();
    }

    /** The names of all fields that have a value, sorted; those of the library's own bookkeeping begin with a low line. */
    public Set<String> fields() {
        Set<String> names = new TreeSet<>(root.propertyNames());
        names.removeIf(name -> !has(name));
        return names;
    }

    /** A whole number. */
    public int whole(String field, int usual) {
        if (!has(field)) {
            return usual;
        }
        JsonNode value = root.get(field);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw refused(field, "a whole number");
        }
        return value.asInt();
    }

    /** A number. */
    public double number(String field, double usual) {
        if (has(field) && !root.get(field).isNumber()) {
            throw refused(field, "a number");
        }
        return has(field) ? root.get(field).asDouble() : usual;
    }

    /** A truth value. */
    public boolean flag(String field, boolean usual) {
        if (has(field) && !root.get(field).isBoolean()) {
            throw refused(field, "true or false");
        }
        return has(field) ? root.get(field).asBoolean() : usual;
    }

    /** A text. */
    public String text(String field, String usual) {
        if (has(field) && !root.get(field).isString()) {
            throw refused(field, "a text");
        }
        return has(field) ? root.get(field).asString() : usual;
    }

    /** A list of whole numbers, at least one. */
    public List<Integer> wholes(String field) {
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : list(field)) {
            if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw refused(field, "a list of whole numbers");
            }
            values.add(value.asInt());
        }
        if (values.isEmpty()) {
            throw refused(field, "missing or empty", "a list of whole numbers");
        }
        return values;
    }

    /** A list whose entries are whole numbers or lists of them, each as a list. */
    public List<List<Integer>> wholesOrLists(String field) {
        List<List<Integer>> values = new ArrayList<>();
        for (JsonNode value : root.path(field)) {
            List<Integer> entry = new ArrayList<>();
            for (JsonNode number : value.isArray() ? value : List.of(value)) {
                if (!number.isIntegralNumber() || !number.canConvertToInt()) {
                    throw refused(field, "whole numbers or lists of them");
                }
                entry.add(number.asInt());
            }
            values.add(entry);
        }
        return values;
    }

    /** A list of numbers; empty where there is none. */
    public List<Double> numbers(String field) {
        List<Double> values = new ArrayList<>();
        for (JsonNode value : list(field)) {
            if (!value.isNumber()) {
                throw refused(field, "a list of numbers");
            }
            values.add(value.asDouble());
        }
        return values;
    }

    /** A list of texts; empty where there is none. */
    public List<String> texts(String field) {
        List<String> values = new ArrayList<>();
        list(field).forEach(value -> values.add(value.asString("")));
        return values;
    }

    /** The values of an object whose keys are 0, 1, 2 and so on; empty where there is none. */
    public List<String> numbered(String field) {
        List<String> values = new ArrayList<>();
        JsonNode map = root.path(field);
        for (int i = 0; map.has(String.valueOf(i)); i++) {
            values.add(map.get(String.valueOf(i)).asString(""));
        }
        return values;
    }

    private Iterable<JsonNode> list(String field) {
        if (!has(field)) {
            return List.of();
        }
        JsonNode node = root.get(field);
        // the library writes per-channel values of some models as one list inside another
        return node.size() == 1 && node.get(0) != null && node.get(0).isArray() ? node.get(0) : node;
    }

    /** Whether a value is null, false or empty: whatever the field means, it is off. */
    public boolean off(String field) {
        JsonNode value = root.path(field);
        return !has(field)
                || value.isBoolean() && !value.asBoolean()
                || value.isString() && value.asString().isEmpty()
                || value.isContainer() && value.isEmpty();
    }

    /** How a value stands in the file; a long one is cut. */
    public String shown(String field) {
        JsonNode value = root.path(field);
        String text = value.isString() ? value.asString() : value.toString();
        return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "…";
    }

    /** Refuses every value but one. */
    public void require(String field, Object value, Object expected) {
        if (!value.equals(expected)) {
            throw refused(field, value, String.valueOf(expected));
        }
    }

    /** The error for a field whose value stands in the file. */
    public RetortException refused(String field, String expected) {
        return refused(field, shown(field), expected);
    }

    /** The error for a field. */
    public RetortException refused(String field, Object value, String expected) {
        return new RetortException(
                Kind.CHECKPOINT, file + ": " + field + " is " + value + ", expected " + expected + "; " + advice);
    }

    /** The error for values that make no whole; {@code reason} says which. */
    public RetortException refused(RuntimeException reason) {
        return new RetortException(Kind.CHECKPOINT, file + ": " + reason.getMessage() + "; " + advice, reason);
    }
}
