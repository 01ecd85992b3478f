package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How the layers of a quantised model are kept and computed. Of a layer {@code X} the file has {@code X.weight}, whole numbers q, and
 * {@code X.weight_scale} (out), or (out, groups): a weight is q·scale. Of {@link Activations#STATIC} it has {@code X.input_scale} and
 * {@code X.input_zero_point} too, one for each of {@code times}, or one: an input is read as (u - zeroPoint)·scale with u from 0 to 255.
 *
 * @param weightBits 8: a signed byte each, (out, in); 4: two in an unsigned byte, (out, in/2), the first of them in the lower bits, each
 *     with 8 added
 * @param group how many inputs share a scale; 0 for all of an output channel
 * @param activations how the inputs of these layers are rounded
 * @param isa on which CPUs the products of 8 bits are exact
 * @param alpha of SmoothQuant (Xiao et al. 2022): how much of the inputs' range was moved into the weights; 0 for none
 * @param times of the network's calls that the inputs' ranges were measured at; empty where there is one range for all, or none
 * @param layers paths of the layers that are quantised
 * @param errors for each layer, kept ones too, what it adds to the output by itself, relative to the output; may be empty
 */
public record QuantizationSpec(
        int weightBits,
        int group,
        Activations activations,
        Isa isa,
        double alpha,
        List<Double> times,
        List<String> layers,
        Map<String, Double> errors) {
    /** How the inputs of a quantised layer are rounded. */
    public enum Activations {
        /** Not at all: the weights are widened when the model is opened, its file alone is smaller. */
        NONE,
        /** To 255 levels about zero, each row by its own largest magnitude. */
        DYNAMIC,
        /** To 256 levels, by ranges that were measured while the model was sampled. */
        STATIC
    }

    /** What a CPU needs so that products of two bytes are added up exactly. */
    public enum Isa {
        /** Nothing: weights have 7 bits, so that the sum of two products fits 16 bits, as AVX2 adds them. */
        ANY,
        /** VNNI or AMX, which add in 32 bits: weights have 8. */
        VNNI
    }

    /** Ending of a layer's weight. */
    public static final String WEIGHT = ".weight";
    /** Ending of its scales. */
    public static final String WEIGHT_SCALE = ".weight_scale";
    /** Ending of its inputs' scales. */
    public static final String INPUT_SCALE = ".input_scale";
    /** Ending of its inputs' zero points, as numbers of F32. */
    public static final String INPUT_ZERO_POINT = ".input_zero_point";

    /** Validates. */
    public QuantizationSpec {
        requireBits("weightBits", weightBits);
        Require.that(group >= 0 && group % 2 == 0, "group", group, "0 for none, or an even number of inputs");
        Require.that(
                group == 0 || activations == Activations.NONE,
                "group",
                group,
                "0 where activations are rounded: a product of whole numbers has one scale for each output channel");
        Require.that(
                weightBits == 8 || activations == Activations.NONE,
                "weightBits",
                weightBits,
                "8 where activations are rounded");
        Require.between("alpha", alpha, 0, 1);
        Require.notEmpty("layers", layers);
        times = List.copyOf(times);
        layers = List.copyOf(layers);
        errors = Map.copyOf(errors);
    }

    /** Refuses numbers of bits that nothing here computes with. */
    public static void requireBits(String field, int bits) {
        Require.that(bits == 8 || bits == 4, field, bits, "8 or 4");
    }

    /** The largest magnitude of a whole number in a weight. */
    public int largest() {
        return largest(weightBits, activations, isa);
    }

    /** The same before there is a spec. */
    public static int largest(int weightBits, Activations activations, Isa isa) {
        if (weightBits == 4) {
            return 7;
        }
        return activations == Activations.NONE || isa == Isa.VNNI ? 127 : 63;
    }

    /** Which of the inputs' ranges is that of a time: the first of the nearest. */
    public int range(double time) {
        return range(times, time);
    }

    /** The same of ranges that these times have. */
    public static int range(List<Double> times, double time) {
        int nearest = 0;
        for (int i = 1; i < times.size(); i++) {
            if (Math.abs(times.get(i) - time) < Math.abs(times.get(nearest) - time)) {
                nearest = i;
            }
        }
        return nearest;
    }

    /** Whether products are of whole numbers: activations are rounded too. */
    public boolean multipliesIntegers() {
        return activations != Activations.NONE;
    }

    /** Whether a tensor of this name is the weight of a quantised layer. */
    public boolean quantizes(String name) {
        return name.endsWith(WEIGHT) && layers.contains(name.substring(0, name.length() - WEIGHT.length()));
    }

    /** The tensors of a file that belong to a quantised layer, beside its weight. */
    public Stream<String> added(String layer) {
        return activations == Activations.STATIC
                ? Stream.of(layer + WEIGHT_SCALE, layer + INPUT_SCALE, layer + INPUT_ZERO_POINT)
                : Stream.of(layer + WEIGHT_SCALE);
    }

    /** In a few words, such as {@code 8-bit weights, static 8-bit activations, for CPUs with VNNI}. */
    public String text() {
        String weights = weightBits + "-bit weights" + (group > 0 ? " in groups of " + group : "");
        return switch (activations) {
            case NONE -> weights;
            case DYNAMIC -> weights + ", dynamic 8-bit activations, " + target();
            case STATIC -> weights + ", static 8-bit activations, " + target();
        };
    }

    private String target() {
        return isa == Isa.VNNI ? "for CPUs with VNNI" : "for any CPU";
    }
}
