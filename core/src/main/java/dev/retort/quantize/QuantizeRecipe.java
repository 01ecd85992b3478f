package dev.retort.quantize;

import dev.retort.card.QuantizationSpec.Isa;
import dev.retort.config.Configs;
import dev.retort.config.Require;
import dev.retort.torch.IntegerProduct;
import java.util.List;
import java.util.Map;

/**
 * How a model is quantised.
 *
 * @param weights how weights are rounded
 * @param activations how inputs of layers are rounded
 * @param isa for which CPUs: {@code here} for what this one can
 * @param smooth SmoothQuant's alpha: how much of the inputs' range is moved into weights, where that is exact; 0 for none
 * @param keep layers that keep their bits, by name or, with {@code *}, by pattern
 * @param calibration on which samples the model is watched
 * @param budget how far the result may be from the model
 */
public record QuantizeRecipe(
        WeightsConfig weights,
        ActivationsConfig activations,
        Target isa,
        double smooth,
        List<String> keep,
        CalibrationConfig calibration,
        BudgetConfig budget) {
    /** The configurations' kind, also the name of the command. */
    public static final String KIND = "quantize";

    /** For which CPUs. */
    public enum Target {
        /** What this one can. */
        HERE,
        /** Any: weights of 7 bits. */
        ANY,
        /** Those with VNNI or AMX: weights of 8 bits. */
        VNNI
    }

    /** Validates. */
    public QuantizeRecipe {
        Require.between("smooth", smooth, 0, 1);
        boolean rounds = !(activations instanceof ActivationsConfig.None);
        Require.that(
                !rounds || weights.bits() == 8,
                "weights.bits",
                weights.bits(),
                "8 where activations are rounded too; for 4 set activations to none");
        Require.that(
                !rounds || weights.group() == 0,
                "weights.group",
                weights.group(),
                "0 where activations are rounded too: products of whole numbers have one scale for each channel");
        keep = List.copyOf(keep);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of(
                "isa",
                Target.HERE,
                "smooth",
                0,
                "keep",
                List.of(),
                "weights",
                WeightsConfig.defaults(),
                "calibration",
                CalibrationConfig.defaults(),
                "budget",
                BudgetConfig.defaults());
    }

    /** A preset by its name, or a file by its path, with {@code a.b=value} overrides. */
    public static QuantizeRecipe of(String presetOrFile, List<String> overrides) {
        return Configs.load(QuantizeRecipe.class, KIND, presetOrFile, overrides);
    }

    /** For which CPUs the file is. */
    Isa target() {
        return switch (isa) {
            case ANY -> Isa.ANY;
            case VNNI -> Isa.VNNI;
            case HERE -> IntegerProduct.saturates() ? Isa.ANY : Isa.VNNI;
        };
    }
}
