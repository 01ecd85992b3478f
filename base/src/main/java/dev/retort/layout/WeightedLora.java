package dev.retort.layout;

import dev.retort.config.Require;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * An adapter and how strongly it is applied.
 *
 * @param file where it lies
 * @param weight factor of what it adds; a negative one takes it off again
 */
public record WeightedLora(Path file, double weight) {
    /** Validates. */
    public WeightedLora {
        Require.that(Double.isFinite(weight), "weight", weight, "a number");
    }

    /** Its file's name and the weight, {@code style.safetensors:0.8}. */
    public String text() {
        return file.getFileName() + ":" + weight;
    }

    /**
     * Of {@code FILE[:WEIGHT]}; without a weight it is 1.
     *
     * @param place makes a path of what stands for the file
     */
    public static WeightedLora parse(String text, UnaryOperator<String> place) {
        int colon = text.lastIndexOf(':');
        if (colon > 0 && text.substring(colon + 1).matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)")) {
            return new WeightedLora(
                    Path.of(place.apply(text.substring(0, colon))), Double.parseDouble(text.substring(colon + 1)));
        }
        return new WeightedLora(Path.of(place.apply(text)), 1);
    }
}
