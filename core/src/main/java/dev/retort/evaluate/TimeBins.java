package dev.retort.evaluate;

/**
 * Means per bin of diffusion time: how far a student's prediction is from the teacher's at little and at much noise.
 * Time runs over [0, 1] (0 data, 1 noise); bins are equally wide.
 */
public final class TimeBins {
    private final double[] sums;
    private final long[] counts;

    /** @param bins number of bins */
    public TimeBins(int bins) {
        if (bins < 1) {
            throw new IllegalArgumentException("bins: " + bins + ", expected at least 1");
        }
        this.sums = new double[bins];
        this.counts = new long[bins];
    }

    /** Adds a value at a time. */
    public void add(double time, double value) {
        if (!(time >= 0 && time <= 1)) {
            throw new IllegalArgumentException("time: " + time + ", expected 0 to 1");
        }
        int bin = Math.min(sums.length - 1, (int) (time * sums.length));
        sums[bin] += value;
        counts[bin]++;
    }

    /** Adds the mean squared difference of two predictions for the same input at a time: the ε-MSE when both are noise. */
    public void addSquaredError(double time, float[] prediction, float[] reference) {
        if (prediction.length != reference.length || prediction.length == 0) {
            throw new IllegalArgumentException("predictions of " + prediction.length + " and " + reference.length
                    + " values; they must be as many, not 0");
        }
        double sum = 0;
        for (int i = 0; i < prediction.length; i++) {
            double difference = (double) prediction[i] - reference[i];
            sum += difference * difference;
        }
        add(time, sum / prediction.length);
    }

    /** Middle of every bin. */
    public double[] centres() {
        double[] centres = new double[sums.length];
        for (int b = 0; b < centres.length; b++) {
            centres[b] = (b + 0.5) / centres.length;
        }
        return centres;
    }

    /** Mean of every bin; NaN where nothing fell. */
    public double[] means() {
        double[] means = new double[sums.length];
        for (int b = 0; b < means.length; b++) {
            means[b] = sums[b] / counts[b];
        }
        return means;
    }

    /** Number of values in every bin. */
    public long[] counts() {
        return counts.clone();
    }

    /** Mean of the bins that hold something, each weighing the same whatever fell into it; NaN when all are empty. */
    public double meanOverTime() {
        double sum = 0;
        int filled = 0;
        for (int b = 0; b < sums.length; b++) {
            if (counts[b] > 0) {
                sum += sums[b] / counts[b];
                filled++;
            }
        }
        return sum / filled;
    }
}
