package dev.retort.card;

/**
 * In what the forwards of two libraries differ for the same weights (measured: outputs differ by about 1 where they are
 * of the size of 3). A checkpoint carries it, so that it is computed as it was trained.
 *
 * @param frequencyShift timestep frequencies are 10000^(-k/(128 - shift)): 0 in the original, 1 in diffusers
 * @param mlpNormEps eps of the LayerNorm before the MLP: 1e-6 in the original, 1e-5 in diffusers
 */
public record DitConvention(double frequencyShift, double mlpNormEps) {
    /** The paper's code and what we train. */
    public static final DitConvention ORIGINAL = new DitConvention(0, 1e-6);
    /** The diffusers library's defaults. */
    public static final DitConvention DIFFUSERS = new DitConvention(1, 1e-5);

    /** Validates. */
    public DitConvention {
        if (!(frequencyShift >= 0 && frequencyShift < DitSpec.TIME_FEATURES / 2)) {
            throw new IllegalArgumentException("frequencyShift is " + frequencyShift
                    + ", expected at least 0 and below " + DitSpec.TIME_FEATURES / 2);
        }
        if (!(mlpNormEps > 0)) {
            throw new IllegalArgumentException("mlpNormEps is " + mlpNormEps + ", expected above 0");
        }
    }
}
