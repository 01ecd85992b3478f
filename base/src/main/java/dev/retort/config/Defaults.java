package dev.retort.config;

import java.lang.reflect.RecordComponent;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Completes a configuration with what it leaves out: a record that has sensible values for some of its components says them
 * in a static method {@code defaults()}, a map from their names.
 */
final class Defaults {
    private Defaults() {}

    /** Puts every default into the tree. */
    static void complete(JsonNode tree, Class<?> type) {
        if (!(tree instanceof ObjectNode fields) || !type.isRecord()) {
            return;
        }
        defaults(type).forEach((name, value) -> {
            if (!fields.has(name)) {
                fields.set(name, Configs.MAPPER.valueToTree(value));
            }
        });
        for (RecordComponent component : type.getRecordComponents()) {
            complete(fields.get(component.getName()), component.getType());
        }
    }

    private static Map<String, ?> defaults(Class<?> record) {
        try {
            return (Map<String, ?>) record.getMethod("defaults").invoke(null);
        } catch (NoSuchMethodException e) {
            return Map.of();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(record + " has no usable defaults", e);
        }
    }
}
