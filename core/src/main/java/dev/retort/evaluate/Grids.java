package dev.retort.evaluate;

import dev.retort.io.ImageGrid;
import dev.retort.report.SampleGrid;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Pictures of several models side by side: a row for each class, in every pane the same noise at the same place. */
final class Grids {
    private static final int MOST_ROWS = 10;
    private static final int MOST_COLUMNS = 8;
    private static final int SMALL = 64;

    private Grids() {}

    static SampleGrid of(Map<String, SampleSet> samples, List<String> classNames, long seed) {
        int classes = classNames.size();
        List<SampleGrid.Pane> panes = new ArrayList<>();
        for (Map.Entry<String, SampleSet> entry : new LinkedHashMap<>(samples).entrySet()) {
            panes.add(new SampleGrid.Pane(entry.getKey(), png(entry.getValue(), classes)));
        }
        int rows = Math.min(MOST_ROWS, classes);
        return new SampleGrid(
                "Samples on the same noise",
                "A row for each class; the same place in every picture is the same noise. Seed " + seed
                        + ", not selected.",
                classNames.subList(0, rows),
                panes);
    }

    private static byte[] png(SampleSet samples, int classes) {
        PixelBatch pixels = samples.pixels();
        int columns = Math.max(1, Math.min(MOST_COLUMNS, samples.size() / classes));
        int rows = Math.min(MOST_ROWS, classes);
        int size = pixels.imageSize();
        ImageGrid grid = new ImageGrid(rows * columns, columns, pixels.channels(), pixels.height(), pixels.width(), 2);
        float[] image = new float[size];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int index = column * classes + row;
                if (index < samples.size()) {
                    for (int p = 0; p < size; p++) {
                        image[p] = (pixels.pixels()[index * size + p] & 0xFF) / 127.5f - 1;
                    }
                    grid.set(row * columns + column, image, 0);
                }
            }
        }
        return grid.png(pixels.height() <= SMALL ? 2 : 1);
    }
}
