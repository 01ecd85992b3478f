package dev.retort.model.vae;

import dev.retort.card.AutoencoderSpec;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.TinySpec;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.bytedeco.pytorch.Tensor;

/** A network that makes small latents of pictures and pictures of latents. */
public abstract class Autoencoder extends Layer {
    /** One of a shape. */
    public static Autoencoder of(AutoencoderSpec spec, Init init) {
        return spec instanceof KlSpec kl ? new AutoencoderKl(kl, init) : new AutoencoderTiny((TinySpec) spec, init);
    }

    /** The one on disk: weights in fp32, frozen. */
    public static Autoencoder load(AutoencoderFiles files, Device device) {
        Autoencoder autoencoder;
        try (Scope scope = Scope.open();
                TensorFile file = files.open()) {
            autoencoder = of(files.spec(), Init.blank(device));
            Map<String, Tensor> values = new LinkedHashMap<>();
            file.entries()
                    .keySet()
                    .forEach(key -> values.put(AutoencoderFiles.parameter(key), Weights.tensor(file, key, device)));
            List<String> problems = autoencoder.load(values);
            if (!problems.isEmpty()) {
                autoencoder.close();
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file.path() + " does not fit its configuration: "
                                + FirstFew.of(problems, 3)
                                + "; fetch weights and configuration of one model");
            }
        }
        autoencoder.freeze();
        return autoencoder;
    }

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
     * @param latents (N, latentChannels, h, w) in the autoencoder's own units: {@link #toAutoencoder} of what a
     *     diffusion network returns
     * @return (N, C, h·downscale, w·downscale), about [-1, 1], not clamped
     */
    public abstract Tensor decode(Tensor latents);

    /** Latents in the autoencoder's own units (N, C, h, w) → what a diffusion network sees ({@link LatentScale}). */
    public static Tensor toNetwork(LatentScale scale, Tensor latents) {
        return Ops.add(Ops.mul(latents, column(latents, scale::factor)), column(latents, scale::offset));
    }

    /** What a diffusion network returns (N, C, h, w) → latents in the autoencoder's own units. */
    public static Tensor toAutoencoder(LatentScale scale, Tensor values) {
        return Ops.div(Ops.sub(values, column(values, scale::offset)), column(values, scale::factor));
    }

    /** A value of each channel, (1, C, 1, 1). */
    private static Tensor column(Tensor like, IntToDoubleFunction ofChannel) {
        float[] values = new float[Math.toIntExact(like.size(1))];
        for (int c = 0; c < values.length; c++) {
            values[c] = (float) ofChannel.applyAsDouble(c);
        }
        return Tensors.of(values, Device.of(like), 1, values.length, 1, 1);
    }
}
