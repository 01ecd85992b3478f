package dev.retort.io;

import dev.retort.io.PickleValue.Plain;
import dev.retort.io.PickleValue.Tensor;
import dev.retort.io.PickleValue.Tuple;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The leaves of an unpickled value by their path: keys, indices and attribute names joined by dots.
 *
 * @param tensors views of storages, and tensors that are only listed
 * @param values numbers, texts and truth values as text
 */
record PickleTree(Map<String, Tensor> tensors, Map<String, String> values) {
    /** Values that hold themselves, or each other many times over, would have leaves without end. */
    private static final int DEEPEST = 32;

    private static final int MOST_LETTERS = 1 << 26;
    private static final int LONGEST_PATH = 1024;

    static PickleTree of(Object root) throws IOException {
        PickleTree tree = new PickleTree(new LinkedHashMap<>(), new LinkedHashMap<>());
        tree.walk("", root, 0, new int[1]);
        return tree;
    }

    private void walk(String path, Object value, int depth, int[] letters) throws IOException {
        letters[0] += 32 + path.length();
        if (depth > DEEPEST || letters[0] > MOST_LETTERS || path.length() > LONGEST_PATH) {
            throw new Malformed("its values are nested too deeply or are too many");
        }
        if (value instanceof Tensor tensor) {
            if (tensors.put(path, tensor) != null) {
                throw new Malformed("two of its tensors are named '" + path + "'");
            }
        } else if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                walk(below(path, entry.getKey()), entry.getValue(), depth + 1, letters);
            }
        } else if (value instanceof Tuple tuple) {
            each(path, tuple.items(), depth, letters);
        } else if (value instanceof Collection<?> items) {
            each(path, items, depth, letters);
        } else if (value instanceof Plain plain) {
            for (Map.Entry<?, ?> entry : PickleValue.attributes(plain).entrySet()) {
                walk(below(path, entry.getKey()), entry.getValue(), depth + 1, letters);
            }
        } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
            values.put(path, String.valueOf(value));
        }
    }

    private void each(String path, Collection<?> items, int depth, int[] letters) throws IOException {
        int index = 0;
        for (Object item : items) {
            walk(below(path, index++), item, depth + 1, letters);
        }
    }

    private static String below(String path, Object key) {
        String name = key instanceof Tuple ? "(…)" : String.valueOf(key);
        return path.isEmpty() ? name : path + "." + name;
    }
}
