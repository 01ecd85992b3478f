package dev.retort.cli;

import dev.retort.card.ImageShape;
import dev.retort.card.PictureCard;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.ImageGrid;
import dev.retort.io.NpyType;
import dev.retort.io.NpzWriter;
import dev.retort.io.PixelImage;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Where drawn images go: one grid, npz in the ADM layout, or a folder of files. */
interface ImageWriter {
    /** Samples an image for each prompt and writes them all; PNG files say how they were drawn. */
    void write(SampleJob job, Prompts prompts, PictureCard card);

    /**
     * The form that a path's ending asks for.
     *
     * @param columns columns of a grid
     */
    static ImageWriter at(Path out, ImageShape shape, int columns) {
        if (endsIn(out, ".png")) {
            return new Grid(out, shape, columns);
        }
        return endsIn(out, ".npz") ? new Npz(out, shape) : new Folder(out, shape);
    }

    private static boolean endsIn(Path out, String ending) {
        return out.toString().toLowerCase(Locale.ROOT).endsWith(ending);
    }

    /** Refuses, before anything is drawn, a place that cannot be written and endings of files that are not made here. */
    static void requireUsable(Path out) {
        if (out.toString().matches("(?i).*\\.(jpe?g|webp|bmp|gif|tiff?|svg|pdf|npy|zip|tar|pt|safetensors|json|html)")
                && !Files.isDirectory(out)) {
            throw new RetortException(
                    Kind.USAGE, "--out " + out + " is not a known format; give NAME.png, NAME.npz or a folder");
        }
        boolean file = endsIn(out, ".png") || endsIn(out, ".npz");
        AtomicWrite.requireWritable(file ? out : out.resolve("000000.png"));
    }

    /** One PNG with all images, small ones magnified. */
    record Grid(Path out, ImageShape shape, int columns) implements ImageWriter {
        private static final int SMALL = 64;
        private static final int SMALL_SHEET = 1 << 22;

        @Override
        public void write(SampleJob job, Prompts prompts, PictureCard card) {
            ImageGrid grid = new ImageGrid(prompts.size(), columns, shape.channels(), shape.height(), shape.width(), 2);
            job.sample(prompts, Progress.NONE, (first, pixels, n) -> {
                for (int i = 0; i < n; i++) {
                    grid.set(first + i, pixels, i * shape.values());
                }
            });
            boolean small = shape.height() <= SMALL && (long) prompts.size() * shape.values() <= SMALL_SHEET;
            grid.write(out, small ? 2 : 1, card.texts());
        }
    }

    /** A PNG for each image, named by its index and class or prompt. */
    record Folder(Path out, ImageShape shape) implements ImageWriter {
        private static final int LONGEST = 40;

        private static String name(Prompts prompts, int index) {
            String shown = prompts instanceof Prompts.Texts texts
                    ? word(texts.texts().get(index))
                    : "class" + prompts.labels()[index];
            return String.format(Locale.ROOT, "%06d-%s.png", index, shown);
        }

        /** Its Latin letters and digits, which every file system takes. */
        private static String word(String text) {
            String word = text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
            word = word.substring(0, Math.min(LONGEST, word.length())).replaceAll("^-|-$", "");
            return word.isEmpty() ? "prompt" : word;
        }

        @Override
        public void write(SampleJob job, Prompts prompts, PictureCard card) {
            requireNoOthers(prompts);
            job.sample(prompts, Progress.NONE, (first, pixels, n) -> {
                for (int i = 0; i < n; i++) {
                    String name = name(prompts, first + i);
                    new ImageGrid(1, 1, shape.channels(), shape.height(), shape.width(), 0)
                            .set(0, pixels, i * shape.values())
                            .write(out.resolve(name), 1, card.only(first + i).texts());
                }
            });
        }

        /** Pictures of another call would be scored with these. */
        private void requireNoOthers(Prompts prompts) {
            Set<String> ours = new HashSet<>();
            for (int i = 0; i < prompts.size(); i++) {
                ours.add(name(prompts, i));
            }
            try (Stream<Path> files = Files.list(out)) {
                long others = files.map(file -> file.getFileName().toString())
                        .filter(file -> file.endsWith(".png") && !ours.contains(file))
                        .count();
                if (others > 0) {
                    throw new RetortException(
                            Kind.USAGE,
                            out + " holds " + others + (others == 1 ? " other picture" : " other pictures")
                                    + " already; give another folder, or empty it");
                }
            } catch (IOException e) {
                throw new RetortException(
                        Kind.WRITE,
                        out + " cannot be listed (" + AtomicWrite.reason(e) + "); choose another folder",
                        e);
            }
        }
    }

    /** {@code arr_0} (N, H, W, 3) in bytes, {@code arr_1} (N) labels where there are classes: what ADM's evaluator reads; grey becomes RGB. */
    record Npz(Path out, ImageShape shape) implements ImageWriter {
        private static final int RGB = 3;

        @Override
        public void write(SampleJob job, Prompts prompts, PictureCard card) {
            long[] dimensions = {prompts.size(), shape.height(), shape.width(), RGB};
            NpzWriter.write(out, npz -> {
                npz.add("arr_0", NpyType.U8, dimensions, bytes -> stream(job, prompts, bytes));
                if (!(prompts instanceof Prompts.Texts)) {
                    npz.add(
                            "arr_1",
                            new long[] {prompts.size()},
                            Arrays.stream(prompts.labels()).asLongStream().toArray());
                }
            });
        }

        private void stream(SampleJob job, Prompts prompts, OutputStream bytes) throws IOException {
            try {
                job.sample(prompts, Progress.NONE, (first, pixels, n) -> {
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
