package dev.retort.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;

/** Every value of a configuration by its path, {@code stages.0.images}, in the order of the file. */
final class Fields {
    private final Map<String, JsonNode> values = new LinkedHashMap<>();

    private Fields(JsonNode root) {
        walk("", root);
    }

    static Fields of(JsonNode root) {
        return new Fields(root);
    }

    private void walk(String path, JsonNode node) {
        if (node.isObject()) {
            node.properties().forEach(field -> walk(below(path, field.getKey()), field.getValue()));
        } else if (node.isArray() && !node.isEmpty()) {
            for (int i = 0; i < node.size(); i++) {
                walk(below(path, Integer.toString(i)), node.get(i));
            }
        } else {
            values.put(path, node);
        }
    }

    private static String below(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** The paths that go on to this one from further out. */
    List<String> endingIn(String path) {
        return values.keySet().stream()
                .filter(known -> known.endsWith("." + path))
                .toList();
    }

    /** What differs. */
    List<Difference> differences(Fields here) {
        List<Difference> differences = new ArrayList<>();
        values.forEach((path, value) -> {
            if (!value.equals(here.values.get(path))) {
                differences.add(new Difference(path, text(value), text(here.values.get(path))));
            }
        });
        here.values.keySet().stream()
                .filter(path -> !values.containsKey(path))
                .forEach(path -> differences.add(new Difference(path, text(null), text(here.values.get(path)))));
        return differences;
    }

    private static String text(JsonNode value) {
        return value == null ? "absent" : Objects.toString(value);
    }
}
