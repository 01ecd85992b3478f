package dev.retort.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Which Java types the parts of a configuration's tree are bound to. */
final class Types {
    private Types() {}

    /** The value at a path; a missing node where none is there. */
    static JsonNode at(JsonNode tree, List<String> path) {
        JsonNode node = tree;
        for (String step : path) {
            node = below(node, step);
        }
        return node;
    }

    /** The Java type that the field at a path is bound to; {@code Object} where none is known. */
    static Type at(Class<?> root, JsonNode tree, List<String> path) {
        Type type = root;
        JsonNode node = tree;
        for (String step : path) {
            type = type instanceof ParameterizedType ? element(type) : component(record(raw(type), node), step);
            node = below(node, step);
        }
        return type;
    }

    private static JsonNode below(JsonNode node, String step) {
        return node.isArray() && step.matches("\\d{1,9}") ? node.path(Integer.parseInt(step)) : node.path(step);
    }

    private static Type component(Class<?> record, String name) {
        return Arrays.stream(components(record))
                .filter(component -> component.getName().equals(name))
                .findFirst()
                .map(component -> OptionalGroups.within(component.getGenericType()))
                .orElse(Object.class);
    }

    /** The record that a group chooses where its type is a choice, else the type; {@code Object} where the record is not known. */
    static Class<?> record(Class<?> type, JsonNode group) {
        return type.isSealed() && !OneLine.class.isAssignableFrom(type)
                ? Vocabulary.named(type, group.path(Vocabulary.choice(type)).asString(""))
                : OpenTypes.record(type, group.path("type").asString(""));
    }

    /** Type of a list's elements or a map's values. */
    static Type element(Type type) {
        Type[] arguments = type instanceof ParameterizedType generic ? generic.getActualTypeArguments() : new Type[0];
        return arguments.length == 0 ? Object.class : arguments[arguments.length - 1];
    }

    static Class<?> raw(Type type) {
        return type instanceof Class<?> plain
                ? plain
                : type instanceof ParameterizedType generic ? (Class<?>) generic.getRawType() : Object.class;
    }

    /** The components of a record; none of another type. */
    static RecordComponent[] components(Class<?> type) {
        return type.isRecord() ? type.getRecordComponents() : new RecordComponent[0];
    }

    /** Their names. */
    static List<String> names(Class<?> type) {
        return Arrays.stream(components(type)).map(RecordComponent::getName).toList();
    }
}
