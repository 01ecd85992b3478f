package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/** Arithmetic of matrix products; statistics, losses and optimiser state stay in fp32 either way. */
public enum Precision {
    /** 32-bit floats throughout. */
    FP32,
    /** bfloat16 matrix products under autocast, fp32 elsewhere. */
    BF16;

    /** A choice and why it was made, for the log. */
    public record Choice(Precision precision, String reason) {}

    /**
     * Parses {@code fp32}, {@code bf16} or {@code auto}.
     *
     * @param name as the user wrote it
     * @param device where the arithmetic runs; decides {@code auto}
     */
    public static Choice choose(String name, Device device) {
        return switch (name) {
            case "fp32" -> new Choice(FP32, "asked for");
            case "bf16" -> new Choice(BF16, "asked for");
            case "auto" -> automatic(device);
            default ->
                throw new RetortException(Kind.USAGE, "precision " + name + " is unknown; choose fp32, bf16 or auto")
                        .about("precision");
        };
    }

    private static Choice automatic(Device device) {
        if (device.isCuda()) {
            return new Choice(BF16, "GPU");
        }
        Machine machine = Machine.here();
        return machine.hasFlag("amx_bf16") || machine.hasFlag("avx512_bf16")
                ? new Choice(BF16, "this CPU multiplies bf16 natively")
                : new Choice(FP32, "this CPU has no bf16 instructions");
    }
}
