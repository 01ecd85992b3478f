package dev.retort.cli;

import dev.retort.io.ImageGrid;
import dev.retort.model.NetworkSpec;
import dev.retort.sample.SampleJob;
import java.nio.file.Path;

/** Where drawn images go: one grid, or a folder of files. */
abstract class Pictures implements SampleJob.Sink, AutoCloseable {
    /** Writes what is not written yet. */
    abstract void finish();

    @Override
    public void close() {}

    static Pictures to(Path out, int[] labels, NetworkSpec spec, int classes) {
        String name = out.getFileName().toString();
        if (name.endsWith(".png")) {
            return new Grid(out, labels.length, spec, classes);
        }
        return new Files(out, labels, spec);
    }

    private static final class Grid extends Pictures {
        private static final int MOST_COLUMNS = 16;
        private static final int USUAL_COLUMNS = 10;
        private static final int SMALL = 64;

        private final Path out;
        private final NetworkSpec spec;
        private final ImageGrid grid;

        Grid(Path out, int count, NetworkSpec spec, int classes) {
            this.out = out;
            this.spec = spec;
            int columns = classes > 1 && classes <= MOST_COLUMNS ? classes : USUAL_COLUMNS;
            grid = new ImageGrid(count, columns, spec.channels(), spec.height(), spec.width(), 2);
        }

        @Override
        public void accept(int first, float[] pixels, int n) {
            for (int i = 0; i < n; i++) {
                grid.set(first + i, pixels, i * spec.channels() * spec.height() * spec.width());
            }
        }

        @Override
        void finish() {
            grid.write(out, spec.height() <= SMALL ? 2 : 1);
        }
    }

    private static final class Files extends Pictures {
        private final Path folder;
        private final int[] labels;
        private final NetworkSpec spec;

        Files(Path folder, int[] labels, NetworkSpec spec) {
            this.folder = folder;
            this.labels = labels;
            this.spec = spec;
        }

        @Override
        public void accept(int first, float[] pixels, int n) {
            int size = spec.channels() * spec.height() * spec.width();
            for (int i = 0; i < n; i++) {
                String name = String.format("%06d-class%d.png", first + i, labels[first + i]);
                new ImageGrid(1, 1, spec.channels(), spec.height(), spec.width(), 0)
                        .set(0, pixels, i * size)
                        .write(folder.resolve(name), 1);
            }
        }

        @Override
        void finish() {}
    }
}
