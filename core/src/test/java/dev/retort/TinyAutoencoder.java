package dev.retort;

import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.model.Weights;
import dev.retort.model.vae.Autoencoder;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An AutoencoderKL of a few thousand random weights that halves its pictures, as a diffusers folder. */
public final class TinyAutoencoder {
    private TinyAutoencoder() {}

    /** Writes it; another seed, other weights. */
    public static Path save(Path folder, int latentChannels, double scale, long seed) {
        KlSpec spec = new KlSpec(3, latentChannels, List.of(4, 8), 1, 2, true, true, true, LatentScale.of(scale));
        String config = """
                {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [4, 8], "in_channels": 3,
                 "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"], "latent_channels": %d,
                 "layers_per_block": 1, "norm_num_groups": 2, "out_channels": 3, "scaling_factor": %s,
                 "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
                """.formatted(latentChannels, scale);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder autoencoder = Autoencoder.of(spec, Init.of(seed, Device.CPU))) {
            autoencoder
                    .state()
                    .forEach((name, tensor) ->
                            tensor.copy_(Init.of(seed, Device.CPU).normal(name, 0.3, Tensors.shape(tensor))));
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), config);
            Weights.writer(autoencoder.state(), Dtype.F32).write(folder.resolve("diffusion_pytorch_model.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }
}
