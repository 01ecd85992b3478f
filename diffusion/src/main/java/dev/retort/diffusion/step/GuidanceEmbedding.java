package dev.retort.diffusion.step;

/**
 * A guidance scale as a network's input (Meng et al. 2023; Luo et al. 2023): sines, then cosines of 1000 w / 10000^(i / (half - 1)); a last 0 where the dimension is odd.
 *
 * @param dimension at least 4
 */
public record GuidanceEmbedding(int dimension) {
    public GuidanceEmbedding {
        if (dimension < 4) {
            throw new IllegalArgumentException("dimension is " + dimension + ", expected at least 4");
        }
    }

    /** The embedding of a scale, of {@link #dimension} numbers. */
    public double[] of(double scale) {
        int half = dimension / 2;
        double[] embedding = new double[dimension];
        for (int i = 0; i < half; i++) {
            double phase = 1000 * scale * StrictMath.exp(-StrictMath.log(10_000) / (half - 1) * i);
            embedding[i] = StrictMath.sin(phase);
            embedding[half + i] = StrictMath.cos(phase);
        }
        return embedding;
    }
}
