package dev.retort.train;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * AdamW and its learning rate.
 *
 * @param lr highest learning rate
 * @param schedule how the rate goes on after the warm-up
 * @param warmupImages images over which the rate rises linearly from 0
 * @param beta1 decay of the gradient's mean
 * @param beta2 decay of its square's mean
 * @param eps added to the root
 * @param weightDecay decoupled decay per unit of learning rate
 * @param clip largest gradient norm; 0 for no clipping
 */
public record OptimizerConfig(
        double lr,
        RateConfig schedule,
        long warmupImages,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        double clip) {
    /** Validates. */
    public OptimizerConfig {
        Require.positive("lr", lr);
        Require.atLeast("warmupImages", warmupImages, 0);
        Require.between("beta1", beta1, 0, 0.99999);
        Require.between("beta2", beta2, 0, 0.99999999);
        Require.positive("eps", eps);
        Require.atLeast("weightDecay", weightDecay, 0);
        Require.atLeast("clip", clip, 0);
    }

    /**
     * The rate's schedule by its line.
     *
     * @param schedule such as {@code cosine} or {@code polynomial:power=2}
     */
    public OptimizerConfig(
            double lr,
            String schedule,
            long warmupImages,
            double beta1,
            double beta2,
            double eps,
            double weightDecay,
            double clip) {
        this(lr, OneLine.parse(RateConfig.class, schedule), warmupImages, beta1, beta2, eps, weightDecay, clip);
    }

    /**
     * What a configuration may leave out. The second beta is lower than AdamW's usual 0.999, as most runs here are some
     * thousand steps; the rate decides too much to be guessed.
     */
    public static Map<String, ?> defaults() {
        return Map.of(
                "schedule", new RateConfig.Cosine(),
                "warmupImages", 3200,
                "beta1", 0.9,
                "beta2", 0.99,
                "eps", 1e-8,
                "weightDecay", 0.01,
                "clip", 1);
    }

    /** An optimiser with these settings for parameters by name. */
    Optimizer build(Map<String, Tensor> parameters) {
        return new AdamW(parameters, this);
    }

    /** The learning rate after {@code imagesSeen} of {@code images}. */
    public double rate(long imagesSeen, long images) {
        if (imagesSeen < warmupImages) {
            return lr * ((double) imagesSeen / warmupImages);
        }
        double progress = Math.min(1, (double) (imagesSeen - warmupImages) / Math.max(1, images - warmupImages));
        return lr * schedule.share(progress);
    }
}
