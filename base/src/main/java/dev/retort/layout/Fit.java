package dev.retort.layout;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorEntry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * How the tensors of a file fit those of a network, by name.
 *
 * @param missing names the network has and the file lacks
 * @param unexpected names the file has and the network lacks
 * @param misshaped names of both with different shapes, each with the two shapes, or of a type whose values are not read
 */
public record Fit(List<String> missing, List<String> unexpected, List<String> misshaped) {
    private static final int SHOWN = 8;

    /** Compares. */
    public static Fit of(Map<String, long[]> expected, Map<String, TensorEntry> found) {
        List<String> missing = new ArrayList<>();
        List<String> misshaped = new ArrayList<>();
        expected.forEach((name, shape) -> {
            TensorEntry entry = found.get(name);
            if (entry == null) {
                missing.add(name);
            } else if (!Arrays.equals(entry.shape(), shape)) {
                misshaped.add(
                        name + " of shape " + Arrays.toString(entry.shape()) + ", expected " + Arrays.toString(shape));
            } else if (!entry.readable()) {
                misshaped.add(name + " of type " + entry.type().name() + ", which is not supported");
            }
        });
        List<String> unexpected = found.keySet().stream()
                .filter(name -> !expected.containsKey(name))
                .toList();
        return new Fit(missing, unexpected, misshaped);
    }

    /** Without the missing and unexpected names that are allowed: a name, or its start followed by {@code *}. */
    public Fit allowing(List<String> allowed) {
        return new Fit(
                missing.stream().filter(name -> !matches(name, allowed)).toList(),
                unexpected.stream().filter(name -> !matches(name, allowed)).toList(),
                misshaped);
    }

    private static boolean matches(String name, List<String> allowed) {
        return allowed.stream()
                .anyMatch(a -> a.endsWith("*") ? name.startsWith(a.substring(0, a.length() - 1)) : name.equals(a));
    }

    /** Whether everything fits. */
    public boolean complete() {
        return missing.isEmpty() && unexpected.isEmpty() && misshaped.isEmpty();
    }

    /** Refuses with CHECKPOINT, listing what does not fit. */
    public void require(Path file) {
        if (!complete()) {
            List<String> parts = new ArrayList<>();
            add(parts, "missing", missing);
            add(parts, "unexpected", unexpected);
            add(parts, "mis-shaped", misshaped);
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " belongs to another architecture: " + String.join("; ", parts)
                            + "; use the configuration it was trained with");
        }
    }

    private static void add(List<String> parts, String what, List<String> names) {
        if (!names.isEmpty()) {
            parts.add(what + " " + FirstFew.of(names, SHOWN));
        }
    }
}
