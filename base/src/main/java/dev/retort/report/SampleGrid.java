package dev.retort.report;

import java.util.List;

/**
 * Pictures of several models side by side, each pane drawn from the same noise and the same classes in the same places.
 *
 * @param title what is shown
 * @param caption how it was made: classes, seed, guidance
 * @param rowLabels the class of each row of pictures, top to bottom, or empty
 * @param panes teacher first, so that it stands on the left
 */
public record SampleGrid(String title, String caption, List<String> rowLabels, List<Pane> panes) {
    /**
     * One model's pictures.
     *
     * @param model name of its column
     * @param png a grid of its samples, as the bytes of a PNG file
     */
    public record Pane(String model, byte[] png) {}

    /** Copies the lists. */
    public SampleGrid {
        rowLabels = List.copyOf(rowLabels);
        panes = List.copyOf(panes);
    }
}
