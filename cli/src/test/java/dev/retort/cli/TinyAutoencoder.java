package dev.retort.cli;

import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.model.Weights;
import dev.retort.model.vae.Autoencoder;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An AutoencoderKL of a few thousand random weights that halves its pictures, as a diffusers folder. */
final class TinyAutoencoder {
    private TinyAutoencoder() {}

    static Path save(Path folder, int latentChannels) {
        KlSpec spec = new KlSpec(3, latentChannels, List.of(4, 8), 1, 2, true, true, true, LatentScale.of(0.5));
        String config = """
                {"_class_name": "AutoencoderKL", "block_out_channels": [4, 8], "latent_channels": %d,
                 "layers_per_block": 1, "norm_num_groups": 2, "scaling_factor": 0.5}
                """.formatted(latentChannels);
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = Autoencoder.of(spec, Init.of(1, Device.CPU))) {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), config);
            Weights.writer(autoencoder.state(), Dtype.F32).write(folder.resolve("diffusion_pytorch_model.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }
}
