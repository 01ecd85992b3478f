package dev.retort.card;

/** An autoencoder's shape. */
public sealed interface AutoencoderSpec permits KlSpec, TinySpec {
    /** Short name for reports: {@code AutoencoderKL} or {@code AutoencoderTiny}. */
    String kind();

    /** Colour channels. */
    int imageChannels();

    /** Channels of a latent. */
    int latentChannels();

    /** Pixels of a side that become one latent cell. */
    int downscale();

    /** How latents become what a diffusion network sees. */
    LatentScale scale();

    /** Whether encoding gives a distribution with a variance, else a point. */
    boolean hasVariance();
}
