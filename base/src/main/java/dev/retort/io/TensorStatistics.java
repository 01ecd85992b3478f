package dev.retort.io;

/**
 * What one tensor's values are like.
 *
 * @param min smallest finite value, NaN where there is none
 * @param max largest finite value, NaN where there is none
 * @param mean of the finite values
 * @param std standard deviation of the finite values (divided by their number)
 * @param notFinite number of infinities and NaNs
 */
public record TensorStatistics(double min, double max, double mean, double std, long notFinite) {
    /** Reads the tensor once, a portion at a time. */
    public static TensorStatistics of(TensorFile file, String name) {
        TensorEntry entry = file.entry(name);
        int step = TensorFile.PORTION / entry.dtype().bytes();
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        double mean = 0;
        double squares = 0;
        long finite = 0;
        for (long at = 0; at < entry.elements(); at += step) {
            for (float value : file.floats(name, at, (int) Math.min(step, entry.elements() - at))) {
                if (Float.isFinite(value)) {
                    // Welford's update: one pass, and no difference of large numbers.
                    finite++;
                    double from = value - mean;
                    mean += from / finite;
                    squares += from * (value - mean);
                    min = Math.min(min, value);
                    max = Math.max(max, value);
                }
            }
        }
        return finite == 0
                ? new TensorStatistics(Double.NaN, Double.NaN, Double.NaN, Double.NaN, entry.elements())
                : new TensorStatistics(min, max, mean, Math.sqrt(squares / finite), entry.elements() - finite);
    }
}
