package dev.retort.model;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * What a network is asked. Two questions are equal where they ask the same about the very same tensors.
 *
 * @param x noisy images (N, C, H, W), fp32
 * @param times time of each image in the network's units (N); empty for networks that know no time
 * @param condition of each image; null for networks that know none
 * @param gradient to what a gradient of the answer leads
 * @param along direction in which the answer is to be differentiated as well
 */
public record Question(Tensor x, double[] times, Condition condition, Gradient gradient, Optional<Tangent> along) {
    /** To what a gradient of an answer leads. */
    public enum Gradient {
        /** To nothing: the answer is a constant. */
        NONE,
        /** To the images asked about, through the network but not to its weights. */
        THROUGH,
        /** To the network's weights, and to the images. */
        PARAMETERS
    }

    /**
     * A direction in the space of images and times.
     *
     * @param x change of the images (N, C, H, W)
     * @param times change of the times (N), in the network's units
     * @param step how far along it the answer is looked at, on either side, for the difference; 0 for the exact derivative
     */
    public record Tangent(Tensor x, double[] times, double step) {
        /** Validates. */
        public Tangent {
            if (!(step >= 0)) {
                throw new IllegalArgumentException("step is " + step + ", expected at least 0");
            }
        }
    }

    /** A question about images at times. */
    public Question(Tensor x, double[] times, Condition condition, Gradient gradient) {
        this(x, times, condition, gradient, Optional.empty());
    }

    /** A question about images alone, as classifiers are asked. */
    public static Question ofImages(Tensor x, Gradient gradient) {
        return new Question(x, new double[0], null, gradient);
    }

    /** The same, differentiated along a direction. */
    public Question along(Tangent direction) {
        return new Question(x, times, condition, gradient, Optional.of(direction));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Question that
                && x == that.x
                && Arrays.equals(times, that.times)
                && condition == that.condition
                && gradient == that.gradient
                && along.orElse(null) == that.along.orElse(null);
    }

    @Override
    public int hashCode() {
        return 31 * System.identityHashCode(x) + Arrays.hashCode(times);
    }
}
