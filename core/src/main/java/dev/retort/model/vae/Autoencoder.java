package dev.retort.model.vae;

import dev.retort.nn.Layer;
import org.bytedeco.pytorch.Tensor;

/** A network that makes small latents of pictures and pictures of latents. */
public abstract class Autoencoder extends Layer {
    /** What was built. */
    public abstract AutoencoderSpec spec();

    /**
     * Encodes.
     *
     * @param images (N, C, H, W) in [-1, 1], fp32
     * @return distribution of the latents (N, latentChannels, H/downscale, W/downscale), in the autoencoder's own units
     */
    public abstract Posterior encode(Tensor images);

    /**
     * Decodes.
     *
     * @param latents (N, latentChannels, h, w) in the autoencoder's own units: {@link LatentScale#toAutoencoder} of what a
     *     diffusion network returns
     * @return (N, C, h·downscale, w·downscale), about [-1, 1], not clamped
     */
    public abstract Tensor decode(Tensor latents);
}
