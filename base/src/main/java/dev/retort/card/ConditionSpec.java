package dev.retort.card;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a network is conditioned on.
 *
 * @param parts the shape of one sample's row in each part, empty for a number
 * @param classes how many labels there are, "no class" not counted; 0 without {@link Part#LABEL}
 * @param hasNone whether the network was built to be asked without a condition
 */
public record ConditionSpec(Map<Part, List<Integer>> parts, int classes, boolean hasNone) {
    /** Validates. */
    public ConditionSpec {
        EnumMap<Part, List<Integer>> copy = new EnumMap<>(Part.class);
        parts.forEach((part, shape) -> copy.put(part, List.copyOf(shape)));
        parts = Collections.unmodifiableMap(copy);
        if (classes < 0 || parts.containsKey(Part.LABEL) != classes > 0) {
            throw new IllegalArgumentException(
                    "classes is " + classes + ", expected at least 1 where a label is a part, else 0");
        }
    }

    /** Nothing: of a network that makes pictures of one kind, whatever classes its data have. */
    public static ConditionSpec none() {
        return new ConditionSpec(Map.of(), 0, false);
    }

    /** A class and nothing else. */
    public static ConditionSpec ofClasses(int classes, boolean hasNone) {
        return new ConditionSpec(Map.of(Part.LABEL, List.of()), classes, hasNone);
    }

    /** The same with parts that are a number for each sample. */
    public ConditionSpec withNumbers(Set<Part> numbers) {
        Map<Part, List<Integer>> all = new EnumMap<>(Part.class);
        all.putAll(parts);
        numbers.forEach(part -> all.put(part, List.of()));
        return new ConditionSpec(all, classes, hasNone);
    }

    /** The label that means "no class"; refused by {@link IllegalStateException} where the network knows none. */
    public int nullClass() {
        if (!hasNone || classes == 0) {
            throw new IllegalStateException("this network has no null class: it was built with classDropout 0");
        }
        return classes;
    }
}
