package dev.retort.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Completes a configuration with what it leaves out. A record that has sensible values for some of its components says them
 * in a static method {@code defaults()}, a map from their names, or the sealed interface that it belongs to says them for all
 * of its records; a component that is a record with such a method may be left out too. A group given in part is completed from
 * the group's default, where it has one, then from its own record.
 *
 * <p>A type that was once written in another way says in a static method {@code upgrade(ObjectNode)} how the old fields become
 * the present ones.
 */
final class Defaults {
    private Defaults() {}

    /** A copy with every default in it; fields in an old form are brought into the present one in the tree itself. */
    static ObjectNode complete(ObjectNode tree, Class<?> type) {
        return (ObjectNode) completed(tree, type, null);
    }

    /**
     * Where an assignment chooses another kind for a group, drops what the group's former kind alone had: the folder that a preset
     * names means nothing to shapes that are drawn. Where {@code type} chooses, such fields are refused.
     */
    static void dropFormer(ObjectNode given, Class<?> root, Assignment assignment) {
        List<String> path = assignment.path();
        List<String> group = path.subList(0, path.size() - 1);
        String field = path.get(path.size() - 1);
        Class<?> type = Types.raw(Types.at(root, given, group));
        if (type.isSealed()
                && !field.equals("type")
                && field.equals(Vocabulary.choice(type))
                && Types.at(given, group) instanceof ObjectNode fields) {
            List<String> former = new ArrayList<>(Types.names(Types.record(type, fields)));
            former.removeAll(
                    Types.names(Vocabulary.named(type, assignment.parsed().asString(""))));
            fields.remove(former);
        }
    }

    private static JsonNode completed(JsonNode given, Type type, JsonNode fallback) {
        if (given instanceof ArrayNode list) {
            ArrayNode all = list.arrayNode(list.size());
            list.forEach(element -> all.add(completed(element, Types.element(type), null)));
            return all;
        }
        if (!(given instanceof ObjectNode fields)) {
            return given;
        }
        if (type instanceof ParameterizedType && Map.class.isAssignableFrom(Types.raw(type))) {
            ObjectNode all = fields.objectNode();
            fields.properties()
                    .forEach(entry -> all.set(entry.getKey(), completed(entry.getValue(), Types.element(type), null)));
            return all;
        }
        return group(fields, Types.raw(type), fallback);
    }

    private static ObjectNode group(ObjectNode given, Class<?> type, JsonNode fallback) {
        upgrade(given, type);
        ObjectNode all = given.objectNode();
        JsonNode rest = fallback;
        if (type.isSealed()) {
            String choice = Vocabulary.choice(type);
            JsonNode meant = fallback == null ? null : fallback.get(choice);
            JsonNode chosen = given.has(choice) ? given.get(choice) : meant;
            if (chosen != null) {
                all.set(choice, chosen);
                rest = chosen.equals(meant) ? fallback : null;
            }
        }
        all.setAll(given);
        Class<?> record = Types.record(type, all);
        Map<String, ?> own = hasDefaults(record) ? defaults(record, record) : defaults(type, record);
        for (RecordComponent component : Types.components(record)) {
            String name = component.getName();
            JsonNode value = rest != null && rest.has(name)
                    ? rest.get(name)
                    : own.containsKey(name) ? Configs.MAPPER.valueToTree(own.get(name)) : null;
            JsonNode present = given.get(name);
            if (component.getType() == Optional.class) {
                boolean none = present == null || present.isObject() && present.isEmpty();
                all.set(
                        name,
                        none
                                ? given.objectNode()
                                : completed(present, OptionalGroups.within(component.getGenericType()), null));
                continue;
            }
            if (present == null) {
                present = value != null ? value : hasDefaults(component.getType()) ? given.objectNode() : null;
            }
            if (present != null) {
                all.set(name, completed(present, component.getGenericType(), value));
            }
        }
        return all;
    }

    private static void upgrade(ObjectNode given, Class<?> type) {
        method(type, "upgrade", ObjectNode.class).ifPresent(method -> call(method, given));
    }

    private static Map<String, ?> defaults(Class<?> saying, Class<?> record) {
        Map<String, ?> values = method(saying, "defaults")
                .<Map<String, ?>>map(method -> (Map<String, ?>) call(method))
                .orElse(Map.of());
        List<String> names = Types.names(record);
        if (record.isRecord() && !names.containsAll(values.keySet())) {
            throw new IllegalStateException(
                    record + " has defaults for " + values.keySet() + ", its fields are " + names);
        }
        return values;
    }

    private static boolean hasDefaults(Class<?> type) {
        return type.isRecord() && method(type, "defaults").isPresent();
    }

    private static Optional<Method> method(Class<?> type, String name, Class<?>... parameters) {
        try {
            return Optional.of(type.getDeclaredMethod(name, parameters));
        } catch (NoSuchMethodException e) {
            return Optional.empty();
        }
    }

    private static Object call(Method method, Object... arguments) {
        try {
            method.setAccessible(true);
            return method.invoke(null, arguments);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(method + " fails", e);
        }
    }
}
