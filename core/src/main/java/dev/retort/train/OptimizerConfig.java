package dev.retort.train;

import dev.retort.config.Require;

/**
 * AdamW and its learning rate.
 *
 * @param lr highest learning rate
 * @param schedule {@code constant} or {@code cosine} (to 0 at the end of the run)
 * @param warmupImages images over which the rate rises linearly from 0
 * @param beta1 decay of the gradient's mean
 * @param beta2 decay of its square's mean
 * @param eps added to the root
 * @param weightDecay decoupled decay per unit of learning rate
 * @param clip largest gradient norm; 0 for no clipping
 */
public record OptimizerConfig(
        double lr,
        String schedule,
        long warmupImages,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        double clip) {
    /** Validates. */
    public OptimizerConfig {
        Require.positive("lr", lr);
        Require.oneOf("schedule", schedule, java.util.List.of("constant", "cosine"));
        Require.atLeast("warmupImages", warmupImages, 0);
        Require.between("beta1", beta1, 0, 0.99999);
        Require.between("beta2", beta2, 0, 0.99999999);
        Require.positive("eps", eps);
        Require.atLeast("weightDecay", weightDecay, 0);
        Require.atLeast("clip", clip, 0);
    }

    /** The learning rate after {@code imagesSeen} of {@code images}. */
    public double rate(long imagesSeen, long images) {
        double warm = warmupImages == 0 ? 1 : Math.min(1, (double) imagesSeen / warmupImages);
        if (schedule.equals("constant") || imagesSeen <= warmupImages) {
            return lr * warm;
        }
        double progress = Math.min(1, (double) (imagesSeen - warmupImages) / Math.max(1, images - warmupImages));
        return lr * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
}
