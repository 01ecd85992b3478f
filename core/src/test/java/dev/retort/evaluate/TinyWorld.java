package dev.retort.evaluate;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Models of a few thousand random weights, and grey pictures of 8 x 8 in two classes, bright left or bright right. */
final class TinyWorld {
    static final int IMAGES = 120;

    private TinyWorld() {}

    static Path model(Path folder, int depth, int hidden, ProcessSpec process) {
        return model(folder, new DitSpec(8, 8, 1, 2, hidden, depth, 2, 2, 2, 0.1, false, false), process);
    }

    static Path model(Path folder, DitSpec spec, ProcessSpec process) {
        Init init = Init.of(spec.depth(), Device.CPU);
        ModelCard card = ModelCard.of(
                spec,
                process,
                SamplingSpec.of("flow-euler", 6, 2),
                List.of("left", "right"),
                "pictures/train",
                640,
                1,
                "",
                Map.of());
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, init)) {
            // a fresh DiT returns zeros: give every tensor some values
            dit.state().forEach((name, tensor) -> tensor.detach()
                    .copy_(init.normal(name, 0.1, dev.retort.torch.Tensors.shape(tensor))));
            ModelFiles.save(folder, card, Weights.writer(dit.state(), Dtype.F32));
        }
        return folder;
    }

    static Candidate candidate(Path model) {
        return new Candidate(
                model.getFileName().toString(), model, Models.card(model).sampling());
    }

    static DataConfig pictures(Path folder) {
        return pictures(folder, IMAGES);
    }

    static DataConfig pictures(Path folder, int count) {
        try {
            Files.createDirectories(folder);
            for (String split : List.of("train", "t10k")) {
                ByteBuffer images = ByteBuffer.allocate(16 + count * 64)
                        .putInt(0x803)
                        .putInt(count)
                        .putInt(8)
                        .putInt(8);
                ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
                for (int i = 0; i < count; i++) {
                    Rng rng = Rng.at(split.length(), Purpose.DATA, i, 0);
                    labels.put((byte) (i % 2));
                    for (int p = 0; p < 64; p++) {
                        boolean bright = (p % 8 < 4) == (i % 2 == 0);
                        images.put((byte) (rng.nextInt(100) + (bright ? 150 : 0)));
                    }
                }
                Files.write(folder.resolve(split + "-images-idx3-ubyte"), images.array());
                Files.write(folder.resolve(split + "-labels-idx1-ubyte"), labels.array());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new DataConfig.Idx(folder.toString(), "test", 0, false);
    }
}
