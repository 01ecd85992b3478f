package dev.retort.model.vae;

import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * What an encoder says about the latent of a picture: independent normal distributions.
 *
 * @param mean (N, C, H, W)
 * @param logVariance (N, C, H, W), -∞ where the latent is certain
 */
public record Posterior(Tensor mean, Tensor logVariance) {
    private static final double LOWEST = -30;
    private static final double HIGHEST = 20;

    /** From an encoder's raw output (N, 2C, H, W): means, then log-variances, these clamped to [-30, 20]. */
    public static Posterior ofMoments(Tensor moments) {
        Tensor[] half = Ops.chunk(moments, 2, 1);
        return new Posterior(half[0], Ops.clamp(half[1], LOWEST, HIGHEST));
    }

    /** A certain latent. */
    public static Posterior certain(Tensor latent) {
        return new Posterior(latent, Tensors.full(Double.NEGATIVE_INFINITY, Device.of(latent), Tensors.shape(latent)));
    }

    /** The most likely latent. */
    public Tensor mode() {
        return mean;
    }

    /** exp(½ logVariance). */
    public Tensor std() {
        return Ops.exp(Ops.mul(logVariance, 0.5));
    }

    /** mean + std·noise; noise (N, C, H, W) of unit variance. */
    public Tensor sample(Tensor noise) {
        return Ops.add(mean, Ops.mul(std(), noise));
    }

    /** KL to N(0, 1), ½ Σ (mean² + variance - 1 - logVariance), per sample (N). */
    public Tensor kl() {
        Tensor terms = Ops.sub(Ops.add(Ops.square(mean), Ops.exp(logVariance)), logVariance);
        return Ops.mul(Ops.sum(Ops.flatten(Ops.add(terms, -1), 1, 3), 1, false), 0.5);
    }
}
