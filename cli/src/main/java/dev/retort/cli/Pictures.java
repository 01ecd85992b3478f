package dev.retort.cli;

import dev.retort.io.ImageGrid;
import dev.retort.io.NpyType;
import dev.retort.io.NpzWriter;
import dev.retort.io.PixelImage;
import dev.retort.model.ImageShape;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;

/** Where drawn images go: one grid, npz in the ADM layout, or a folder of files. */
interface Pictures {
    /** Draws an image for each label and writes them all. */
    void draw(SampleJob job, int[] labels, Progress progress);

    /**
     * The form that a path's ending asks for.
     *
     * @param columns columns of a grid
     */
    static Pictures at(Path out, ImageShape shape, int columns) {
        String name = out.toString();
        if (name.endsWith(".png")) {
            return new Grid(out, shape, columns);
        }
        return name.endsWith(".npz") ? new Npz(out, shape) : new Folder(out, shape);
    }

    /** One PNG with all images, small ones magnified. */
    record Grid(Path out, ImageShape shape, int columns) implements Pictures {
        private static final int SMALL = 64;

        @Override
        public void draw(SampleJob job, int[] labels, Progress progress) {
            ImageGrid grid = new ImageGrid(labels.length, columns, shape.channels(), shape.height(), shape.width(), 2);
            job.draw(labels, progress, (first, pixels, n) -> {
                for (int i = 0; i < n; i++) {
                    grid.set(first + i, pixels, i * shape.values());
                }
            });
            grid.write(out, shape.height() <= SMALL ? 2 : 1);
        }
    }

    /** A PNG for each image, named by its index and class. */
    record Folder(Path out, ImageShape shape) implements Pictures {
        @Override
        public void draw(SampleJob job, int[] labels, Progress progress) {
            job.draw(labels, progress, (first, pixels, n) -> {
                for (int i = 0; i < n; i++) {
                    String name = String.format("%06d-class%d.png", first + i, labels[first + i]);
                    new ImageGrid(1, 1, shape.channels(), shape.height(), shape.width(), 0)
                            .set(0, pixels, i * shape.values())
                            .write(out.resolve(name), 1);
                }
            });
        }
    }

    /** {@code arr_0} (N, H, W, 3) in bytes, {@code arr_1} (N) labels: what ADM's evaluator reads; grey becomes RGB. */
    record Npz(Path out, ImageShape shape) implements Pictures {
        private static final int RGB = 3;

        @Override
        public void draw(SampleJob job, int[] labels, Progress progress) {
            long[] dimensions = {labels.length, shape.height(), shape.width(), RGB};
            NpzWriter.write(out, npz -> {
                npz.add("arr_0", NpyType.U8, dimensions, bytes -> stream(job, labels, progress, bytes));
                npz.add(
                        "arr_1",
                        new long[] {labels.length},
                        Arrays.stream(labels).asLongStream().toArray());
            });
        }

        private void stream(SampleJob job, int[] labels, Progress progress, OutputStream bytes) throws IOException {
            try {
                job.draw(labels, progress, (first, pixels, n) -> {
                    try {
                        for (int i = 0; i < n; i++) {
                            bytes.write(PixelImage.of(
                                            pixels, i * shape.values(), shape.channels(), shape.height(), shape.width())
                                    .rgb()
                                    .pixels());
                        }
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
    }
}
