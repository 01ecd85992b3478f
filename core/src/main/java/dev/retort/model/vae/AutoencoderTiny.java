package dev.retort.model.vae;

import dev.retort.card.TinySpec;
import dev.retort.nn.Chain;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * The tiny autoencoders of madebyollin/taesd: blocks of 3x3 convolutions and ReLU, latents without a variance. Tensors are
 * named as in diffusers' {@code AutoencoderTiny}, {@code encoder.layers.N} and {@code decoder.layers.N}.
 */
public final class AutoencoderTiny extends Autoencoder {
    /** The decoder bends latents into ±3. */
    private static final double BOUND = 3;

    private final TinySpec spec;
    private final Chain encoder = new Chain();
    private final Chain decoder = new Chain();

    /** Builds it. */
    public AutoencoderTiny(TinySpec spec, Init init) {
        this.spec = spec;
        int last = spec.encoderBlocks().size() - 1;
        int width = spec.width();
        conv(encoder, "encoder", init, spec.imageChannels(), width);
        for (int i = 0; i <= last; i++) {
            if (i > 0) {
                bare(encoder, "encoder", init, width, 2);
            }
            blocks(encoder, "encoder", init, spec.encoderBlocks().get(i), spec.pooled() && i == last);
        }
        conv(encoder, "encoder", init, width, spec.latentChannels());

        conv(decoder, "decoder", init, spec.latentChannels(), width);
        decoder.add(Ops::relu);
        for (int i = 0; i <= last; i++) {
            blocks(decoder, "decoder", init, spec.decoderBlocks().get(i), spec.pooled() && i == 0);
            if (i < last) {
                decoder.add(Ops::doubleSize);
                bare(decoder, "decoder", init, width, 1);
            }
        }
        conv(decoder, "decoder", init, width, spec.imageChannels());
    }

    private void conv(Chain half, String name, Init init, int in, int out) {
        String path = name + ".layers." + half.size();
        half.add(child(path, Conv2d.xavier(init.at(path), in, out, 3, 1, 1))::forward);
    }

    private void bare(Chain half, String name, Init init, int width, int stride) {
        String path = name + ".layers." + half.size();
        half.add(child(path, Conv2d.withoutBias(init.at(path), width, width, 3, stride, 1))::forward);
    }

    private void blocks(Chain half, String name, Init init, int count, boolean pooled) {
        for (int i = 0; i < count; i++) {
            String path = name + ".layers." + half.size();
            half.add(child(path, new TinyBlock(init.at(path), spec.width(), pooled))::forward);
        }
    }

    @Override
    public TinySpec spec() {
        return spec;
    }

    @Override
    public Posterior encode(Tensor images) {
        Tensor x = Ops.mul(Ops.add(images, 1), 0.5); // (N, C, H, W) in [0, 1]
        return Posterior.certain(encoder.forward(x, Taps.none())); // (N, latentChannels, h, w)
    }

    @Override
    public Tensor decode(Tensor latents) {
        Tensor x = Ops.mul(Ops.tanh(Ops.mul(latents, 1 / BOUND)), BOUND); // (N, latentChannels, h, w)
        x = decoder.forward(x, Taps.none()); // (N, C, H, W) about [0, 1]
        return Ops.add(Ops.mul(x, 2), -1); // about [-1, 1]
    }

    /** Latents as values in [0, 1], to look at them or keep them as bytes: l / (2·magnitude) + shift, clamped. */
    public Tensor toUnit(Tensor latents) {
        return Ops.clamp(Ops.add(Ops.mul(latents, 0.5 / spec.latentMagnitude()), spec.latentShift()), 0, 1);
    }
}
