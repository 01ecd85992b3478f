package dev.retort.quantize;

/**
 * Rounds weights that share a scale to whole numbers: round(w / scale), where the scale is a share of the largest magnitude and what
 * is beyond it is clipped. The share is the one, of those tried, by which the output changes least: the sum of squared errors, each
 * weighted by the mean square of the input that the weight is multiplied with.
 */
final class RowRounding {
    private static final int TRIED = 16;

    private final int largest;
    private final double clip;

    /**
     * @param largest magnitude of a whole number
     * @param clip the least share
     */
    RowRounding(int largest, double clip) {
        this.largest = largest;
        this.clip = clip;
    }

    /**
     * Rounds.
     *
     * @param weights of several rows
     * @param from the first of those that share the scale
     * @param count how many do
     * @param squares mean square of each input of the row
     * @param input the first one's place among the inputs
     * @param into gets the whole numbers, at the weights' places
     * @return the scale
     */
    float round(float[] weights, int from, int count, float[] squares, int input, byte[] into) {
        float most = 0;
        for (int i = from; i < from + count; i++) {
            most = Math.max(most, Math.abs(weights[i]));
        }
        if (most == 0) {
            return 1;
        }
        float best = most / largest;
        double least = Double.POSITIVE_INFINITY;
        for (int k = 0; k < (clip == 1 ? 1 : TRIED); k++) {
            float scale = (float) (most / largest * (1 - (1 - clip) * k / (TRIED - 1)));
            double error = error(weights, from, count, squares, input, scale);
            if (error < least) {
                least = error;
                best = scale;
            }
        }
        for (int i = from; i < from + count; i++) {
            into[i] = (byte) whole(weights[i] / best);
        }
        return best;
    }

    private double error(float[] weights, int from, int count, float[] squares, int input, float scale) {
        float by = 1 / scale;
        double sum = 0;
        for (int i = 0; i < count; i++) {
            float weight = weights[from + i];
            float error = whole(weight * by) * scale - weight;
            sum += error * error * squares[input + i];
        }
        return sum;
    }

    private float whole(float value) {
        return Math.max(-largest, Math.min(largest, (float) Math.rint(value)));
    }
}
