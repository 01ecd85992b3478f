package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.data.Prompts;
import dev.retort.io.ImageGrid;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A model's images, the classes in turn: what each was asked to show, and the first of each class as a grid shows them. The
 * others are not kept. Image {@code i} depends on seed and {@code i} alone: two models' images at the same place come from
 * the same noise and class.
 *
 * @param classes names of all classes of the model
 * @param cycle those that are asked for in turn
 * @param labels class that was asked for
 * @param grid a row for each of the first classes; white where nothing has been drawn yet
 * @param columns images of a row
 */
public record SampleSet(List<String> classes, List<Integer> cycle, int[] labels, ImageGrid grid, int columns) {
    /** Rows of a grid at most. */
    static final int MOST_ROWS = 10;

    private static final int MOST_COLUMNS = 8;
    private static final int GAP = 2;

    /** {@code n} images of all classes that are still to be drawn. */
    static SampleSet of(List<String> classes, int n, ImageShape shape) {
        return of(classes, IntStream.range(0, classes.size()).boxed().toList(), n, shape);
    }

    /** The same of some classes alone. */
    static SampleSet of(List<String> classes, List<Integer> cycle, int n, ImageShape shape) {
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = cycle.get(i % cycle.size());
        }
        int columns = Math.max(1, Math.min(MOST_COLUMNS, n / cycle.size()));
        int places = Math.min(MOST_ROWS, cycle.size()) * columns;
        ImageGrid grid = new ImageGrid(places, columns, shape.channels(), shape.height(), shape.width(), GAP);
        return new SampleSet(classes, cycle, labels, grid, columns);
    }

    /** Names of the classes that are asked for in turn. */
    List<String> asked() {
        return cycle.stream().map(classes::get).toList();
    }

    /** What the images are to show, by class, and by its name for networks that are told a text. */
    Prompts prompts() {
        return Prompts.named(labels, classes);
    }

    /** Puts those of a batch into the grid that belong there. */
    void show(int first, float[] pixels, int count) {
        int size = pixels.length / count;
        for (int i = 0; i < count; i++) {
            int row = (first + i) % cycle.size();
            int column = (first + i) / cycle.size();
            if (row < MOST_ROWS && column < columns) {
                grid.set(row * columns + column, pixels, i * size);
            }
        }
    }

    /** Number of images. */
    public int size() {
        return labels.length;
    }
}
