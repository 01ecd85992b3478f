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

    /** By what a scale is multiplied for each sine and cosine. */
    public double[] frequencies() {
        double[] frequencies = new double[dimension / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = 1000 * StrictMath.exp(-StrictMath.log(10_000) / (frequencies.length - 1) * i);
        }
        return frequencies;
    }

    /** The embedding of a scale, of {@link #dimension} numbers. */
    public double[] of(double scale) {
        double[] frequencies = frequencies();
        double[] embedding = new double[dimension];
        for (int i = 0; i < frequencies.length; i++) {
            double phase = scale * frequencies[i];
            embedding[i] = StrictMath.sin(phase);
            embedding[frequencies.length + i] = StrictMath.cos(phase);
        }
        return embedding;
    }
}
