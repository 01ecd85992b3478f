package dev.retort.quantize;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.IntegerProduct;

/** Whether this machine can compute what a recipe asks for, which it has to in order to measure it. */
final class TargetCpu {
    private TargetCpu() {}

    static void requireComputable(QuantizeRecipe recipe) {
        if (recipe.activations() instanceof ActivationsConfig.None) {
            return;
        }
        if (!IntegerProduct.possible()) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "this machine's libraries multiply no whole numbers, so that activations cannot be rounded here;"
                            + " quantise weights alone (preset w8), or on an x86 machine");
        }
        if (recipe.isa() == QuantizeRecipe.Target.VNNI && IntegerProduct.saturates()) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "isa is vnni, and this CPU has neither VNNI nor AMX: 8-bit weights would saturate, and what comes of"
                            + " them could not be measured here; set isa any, or quantise on such a CPU");
        }
    }
}
