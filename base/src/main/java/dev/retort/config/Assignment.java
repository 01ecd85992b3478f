package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One {@code --set a.b.0.c=value}: a path of field names and list positions, and a value in YAML.
 *
 * @param path names and positions, outermost first
 * @param value the value's text, read as YAML: {@code 3}, {@code cosine}, {@code [1, 2]}, {@code {type: constant}}
 */
record Assignment(List<String> path, String value) {
    /** What an error in an override is about: the argument of {@link Configs#load}. */
    static final String FIELD = "overrides";

    static Assignment parse(String text) {
        int equals = text.indexOf('=');
        List<String> path = equals < 1
                ? List.of()
                : List.of(text.substring(0, equals).strip().split("\\.", -1));
        if (path.isEmpty() || path.stream().anyMatch(String::isBlank)) {
            throw new RetortException(
                            Kind.USAGE,
                            "the override '" + text + "' has no " + (equals < 0 ? "'=' and value" : "path before '='")
                                    + "; write it as run.batch=64")
                    .about(FIELD);
        }
        return new Assignment(path, text.substring(equals + 1).strip());
    }

    /** The words as the user wrote them. */
    String text() {
        return String.join(".", path) + "=" + value;
    }

    /**
     * Sets the field.
     *
     * @param given the configuration as it was given; groups and lists that it leaves out are put there as far as needed
     * @param complete the same with all defaults, for what may be named
     */
    void applyTo(ObjectNode given, ObjectNode complete) {
        JsonNode parent = given;
        JsonNode known = complete;
        List<String> walked = new ArrayList<>();
        for (String step : path.subList(0, path.size() - 1)) {
            walked.add(step);
            known = child(complete, known, step, walked);
            parent = within(parent, step, known, walked);
        }
        String last = path.get(path.size() - 1);
        if (parent instanceof ArrayNode list) {
            list.set(position(list, last, walked), parsed());
        } else if (parent == given && !complete.has(last)) {
            throw unknown(complete, complete, last, walked);
        } else if (parent instanceof ObjectNode object) {
            object.set(last, parsed());
        } else {
            throw refused(String.join(".", walked) + " is a single value and has no field '" + last + "'");
        }
    }

    private JsonNode child(JsonNode root, JsonNode parent, String step, List<String> walked) {
        List<String> outer = walked.subList(0, walked.size() - 1);
        if (parent instanceof ArrayNode list) {
            return list.get(position(list, step, outer));
        }
        JsonNode next = parent.get(step);
        if (next == null) {
            throw unknown(root, parent, step, outer);
        }
        return next;
    }

    private JsonNode within(JsonNode parent, String step, JsonNode known, List<String> walked) {
        if (parent instanceof ArrayNode list) {
            return list.get(position(list, step, walked.subList(0, walked.size() - 1)));
        }
        if (!parent.has(step) && parent instanceof ObjectNode object) {
            object.set(step, known.isObject() ? object.objectNode() : known.deepCopy());
        }
        return parent.get(step);
    }

    /** Says which field may be meant: the same path further in, else the nearest name beside the unknown one. */
    private RetortException unknown(JsonNode root, JsonNode parent, String step, List<String> walked) {
        List<String> outer = new ArrayList<>(walked);
        outer.add(step);
        List<String> further = Fields.of(root).endingIn(String.join(".", path));
        return refused("there is no field '" + String.join(".", outer) + "'"
                + (further.isEmpty()
                        ? Suggestion.among(step, new ArrayList<>(parent.propertyNames()))
                        : "; did you mean " + String.join(" or ", further) + "?"));
    }

    private int position(ArrayNode list, String step, List<String> walked) {
        int position = step.matches("\\d{1,9}") ? Integer.parseInt(step) : -1;
        if (position < 0 || position >= list.size()) {
            throw refused(String.join(".", walked) + " is a list of " + list.size() + "; '" + step
                    + "' is not a position in it, expected 0 to " + (list.size() - 1));
        }
        return position;
    }

    /** The value. */
    JsonNode parsed() {
        try {
            return Configs.MAPPER.readTree(value.isEmpty() ? "''" : value);
        } catch (JacksonException e) {
            throw refused("the value is not YAML; quote it if it holds one of : { } [ ] #");
        }
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CONFIG, text() + ": " + why).about(FIELD);
    }
}
