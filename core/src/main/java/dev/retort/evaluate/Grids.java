package dev.retort.evaluate;

import dev.retort.report.SampleGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Pictures of several models side by side: a row for each class, in every pane the same noise at the same place. */
final class Grids {
    private static final int SMALL = 64;

    private Grids() {}

    static SampleGrid of(Map<String, SampleSet> samples, List<String> classNames, int height, long seed) {
        int times = height <= SMALL ? 2 : 1;
        List<SampleGrid.Pane> panes = new ArrayList<>();
        samples.forEach(
                (name, set) -> panes.add(new SampleGrid.Pane(name, set.grid().png(times))));
        return new SampleGrid(
                "Samples on the same noise",
                "A row for each class; the same place in every picture is the same noise. Seed " + seed
                        + ", not selected.",
                classNames.subList(0, Math.min(SampleSet.MOST_ROWS, classNames.size())),
                panes);
    }
}
