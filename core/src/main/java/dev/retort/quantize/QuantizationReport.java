package dev.retort.quantize;

import dev.retort.card.QuantizationSpec;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What became of a model.
 *
 * @param spec how it is quantised
 * @param layers every product, in the network's order
 * @param errors how far it is from its origin
 * @param bytesBefore size of the origin's weights in its file
 * @param bytes size of its own
 * @param milliseconds of a step of four pictures on this machine, by what computes it; {@link #QUANTISED} before the precision for its own
 */
public record QuantizationReport(
        QuantizationSpec spec,
        List<LayerReport> layers,
        Errors errors,
        long bytesBefore,
        long bytes,
        Map<String, Double> milliseconds) {
    /** How the quantised model is named among the times. */
    public static final String QUANTISED = "quantised, ";

    /** What became of a layer. */
    public enum Fate {
        QUANTISED,
        /** It keeps its bits because the recipe says so. */
        KEPT,
        /** It got its bits back so that the budget holds. */
        RAISED
    }

    /**
     * A layer.
     *
     * @param name its path
     * @param shape of its weight
     * @param error at the output where it alone is quantised, relative to the output; NaN where it is kept, and not asked
     */
    public record LayerReport(String name, List<Long> shape, double error, Fate fate) {}

    /** Whether every way to compute the quantised model here is slower than the fastest one for its origin. */
    public boolean isSlower() {
        return best(true) > best(false);
    }

    private double best(boolean quantised) {
        return milliseconds.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(QUANTISED) == quantised)
                .mapToDouble(Map.Entry::getValue)
                .min()
                .orElseThrow();
    }

    /** What to sample with on this machine, in a sentence. */
    public String advice() {
        String fastest = milliseconds.entrySet().stream()
                .min(Comparator.comparingDouble(Map.Entry::getValue))
                .orElseThrow()
                .getKey();
        String ratio = String.format(Locale.ROOT, "%.2f", best(true) / best(false));
        if (!spec.multipliesIntegers()) {
            return "Its file is smaller; sampling takes as long, since weights are widened when it is opened (" + ratio
                    + " times the model's step here)";
        }
        return isSlower()
                ? "Slower here: its step takes " + ratio + " times that of the model in " + fastest
                        + ". On this machine sample the model itself in " + fastest
                        + "; the quantised one saves space, or time elsewhere"
                : "Fastest here: " + fastest + ", " + ratio + " of the time of the model's own fastest step";
    }
}
