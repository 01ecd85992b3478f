package dev.retort.sample;

import dev.retort.card.ImageShape;
import dev.retort.config.Require;
import dev.retort.io.ImageGrid;
import dev.retort.pipeline.ImageCodec;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;

/**
 * Shows how far a batch is: every few steps one file with the clean samples predicted so far, written anew.
 *
 * @param file a PNG file
 * @param every calls of the network between two writes
 * @param codec makes pictures of the network's values; for latents best a tiny decoder
 */
public record PreviewFile(Path file, int every, ImageCodec codec) implements SampleJob.Watcher {
    private static final int COLUMNS = 8;

    /** Validates. */
    public PreviewFile {
        Require.atLeast("preview", every, 1);
    }

    @Override
    public void after(SampleJob.Step step) {
        if ((step.index() + 1) % every != 0) {
            return;
        }
        ImageShape shape = codec.shape();
        try (Scope scope = Scope.open()) {
            float[] pixels = Tensors.floats(codec.decode(step.x0()));
            ImageGrid.of(pixels, step.n(), shape.channels(), shape.height(), shape.width(), COLUMNS)
                    .write(file, 1);
        }
    }
}
