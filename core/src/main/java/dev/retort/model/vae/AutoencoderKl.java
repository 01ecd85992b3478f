package dev.retort.model.vae;

import dev.retort.card.KlSpec;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import org.bytedeco.pytorch.Tensor;

/**
 * The autoencoder of latent diffusion (Rombach et al. 2022): residual blocks, one attention at the smallest size, latents
 * with a mean and a variance. Tensors are named as in diffusers' {@code AutoencoderKL}.
 */
public final class AutoencoderKl extends Autoencoder {
    /** Of every group norm. */
    static final double EPS = 1e-6;

    private final KlSpec spec;
    private final KlEncoder encoder;
    private final KlDecoder decoder;
    private final Conv2d quant;
    private final Conv2d postQuant;

    /** Builds it. */
    public AutoencoderKl(KlSpec spec, Init init) {
        this.spec = spec;
        int moments = 2 * spec.latentChannels();
        encoder = child("encoder", new KlEncoder(init.at("encoder"), spec));
        decoder = child("decoder", new KlDecoder(init.at("decoder"), spec));
        quant = spec.quantConv()
                ? child("quant_conv", Conv2d.xavier(init.at("quant_conv"), moments, moments, 1, 1, 0))
                : null;
        postQuant = spec.postQuantConv()
                ? child(
                        "post_quant_conv",
                        Conv2d.xavier(
                                init.at("post_quant_conv"), spec.latentChannels(), spec.latentChannels(), 1, 1, 0))
                : null;
    }

    @Override
    public KlSpec spec() {
        return spec;
    }

    @Override
    public Posterior encode(Tensor images) {
        return Posterior.ofMoments(moments(images, Taps.none()));
    }

    @Override
    public Tensor decode(Tensor latents) {
        return decode(latents, Taps.none());
    }

    /** Means, then log-variances as the network gives them, not clamped: (N, 2·latentChannels, h, w). */
    Tensor moments(Tensor images, Taps taps) {
        Tensor y = encoder.forward(images, taps);
        return quant == null ? y : quant.forward(y);
    }

    Tensor decode(Tensor latents, Taps taps) {
        return decoder.forward(postQuant == null ? latents : postQuant.forward(latents), taps);
    }
}
