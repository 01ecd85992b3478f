package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.exc.InvalidNullException;
import tools.jackson.databind.exc.InvalidTypeIdException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.exc.ValueInstantiationException;

/** Turns Jackson's complaint into one sentence: the file or the {@code --set}, the field's path, the value, what is allowed. */
final class BindingError {
    private final JacksonException cause;
    private final List<String> path;
    private final JsonNode value;

    private final Class<?> target;

    private BindingError(JacksonException cause, Class<?> root, JsonNode tree) {
        this.cause = cause;
        this.path = path(cause);
        this.value = Types.at(tree, path);
        this.target = Types.raw(Types.at(root, tree, path));
    }

    static RetortException of(
            JacksonException cause, Class<?> root, JsonNode tree, String source, List<Assignment> assignments) {
        BindingError error = new BindingError(cause, root, tree);
        String sentence = error.sentence();
        // the last assignment on this path or above it is what the user has to change
        return assignments.stream()
                .filter(assignment -> sentence.startsWith(String.join(".", assignment.path())))
                .reduce((first, second) -> second)
                .map(last -> refused(last.text(), sentence, cause).about(Assignment.FIELD))
                .orElseGet(() -> refused(source, sentence, cause));
    }

    private static RetortException refused(String origin, String sentence, JacksonException cause) {
        return new RetortException(Kind.CONFIG, origin + ": " + sentence, cause);
    }

    private String sentence() {
        String refusal = refusalByConstructor();
        if (refusal != null) {
            return refusal;
        }
        String field = String.join(".", path);
        if (cause instanceof UnrecognizedPropertyException unknown) {
            List<String> known =
                    unknown.getKnownPropertyIds().stream().map(String::valueOf).toList();
            return field + " is not a field here" + Suggestion.among(unknown.getPropertyName(), known);
        }
        if (cause instanceof InvalidTypeIdException choice) {
            List<String> known = Vocabulary.typeNames(choice.getBaseType().getRawClass());
            String name = Vocabulary.choice(choice.getBaseType().getRawClass());
            String here = field.isEmpty() ? name : field.endsWith("." + name) ? field : field + "." + name;
            return choice.getTypeId() == null
                    ? here + " is missing, expected one of " + String.join(", ", known)
                    : here + " is '" + choice.getTypeId() + "', which is not known"
                            + Suggestion.among(choice.getTypeId(), known);
        }
        if (cause instanceof InvalidNullException || value.isNull()) {
            return field + " is empty, expected " + expected(target);
        }
        if (value.isMissingNode()) {
            return field + " is missing, expected " + expected(target) + "; add it";
        }
        if (target.isEnum() && value.isString()) {
            List<String> known = Vocabulary.constantNames(target);
            return field + " is '" + value.asString() + "', which is not known"
                    + Suggestion.among(value.asString(), known);
        }
        return field + " is " + shown(value) + ", expected " + expected(target);
    }

    /** What a compact constructor said, its field name joined to the path of the record. */
    private String refusalByConstructor() {
        for (Throwable inner = cause.getCause(); inner != null; inner = inner.getCause()) {
            if (inner instanceof RetortException || inner instanceof IllegalArgumentException) {
                return joined(String.valueOf(inner.getMessage()));
            }
        }
        return null;
    }

    private String joined(String message) {
        String record = String.join(".", path);
        if (record.isEmpty()) {
            return message;
        }
        String word = message.split("[\\s.:\\[]", 2)[0];
        if (word.equals(path.get(path.size() - 1))) {
            return record + message.substring(word.length()); // the reader of a value knows its field
        }
        boolean namesField = components().contains(word);
        return record + (namesField ? "." : ": ") + message;
    }

    private List<String> components() {
        return cause instanceof ValueInstantiationException made && made.getType() != null
                ? Types.names(made.getType().getRawClass())
                : List.of();
    }

    private static String expected(Class<?> type) {
        if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
            return "a whole number" + (type == int.class || type == Integer.class ? " up to 2147483647" : "");
        }
        if (type == double.class || type == float.class || type == Double.class || type == Float.class) {
            return "a number";
        }
        if (type == boolean.class || type == Boolean.class) {
            return "true or false";
        }
        if (type.isEnum()) {
            return "one of " + String.join(", ", Vocabulary.constantNames(type));
        }
        if (type == String.class) {
            return "text";
        }
        if (Collection.class.isAssignableFrom(type) || type.isArray()) {
            return "a list";
        }
        if (type.isRecord()) {
            return "the fields " + String.join(", ", Types.names(type));
        }
        if (OneLine.class.isAssignableFrom(type)) {
            return "one line that opens with one of " + String.join(", ", OneLines.names(type));
        }
        if (type.isSealed()) {
            return "fields with a " + Vocabulary.choice(type) + ", one of "
                    + String.join(", ", Vocabulary.typeNames(type));
        }
        return Map.class.isAssignableFrom(type) ? "names with values" : "another value";
    }

    private static String shown(JsonNode value) {
        return value.isObject()
                ? "a group of fields"
                : value.isArray() ? "a list" : value.isString() ? "'" + value.asString() + "'" : value.toString();
    }

    private static List<String> path(JacksonException e) {
        List<String> path = new ArrayList<>();
        for (JacksonException.Reference step : e.getPath()) {
            path.add(step.getPropertyName() != null ? step.getPropertyName() : Integer.toString(step.getIndex()));
        }
        return path;
    }
}
