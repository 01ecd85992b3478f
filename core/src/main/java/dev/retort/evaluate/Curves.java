package dev.retort.evaluate;

import dev.retort.report.Chart;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Curves of a comparison: how the models learned, where their runs are at hand, and where in time they differ. */
final class Curves {
    private static final String LOSS = TrainingMetric.loss(TrainingMetric.DIFFUSION);
    private static final int MOST = 8;

    private Curves() {}

    /** The plain training loss of each model that lies in a run folder; a chart without series where none does. */
    static Chart training(List<Candidate> candidates) {
        List<Chart.Series> series = new ArrayList<>();
        for (Candidate candidate : candidates) {
            Optional<Path> log =
                    RunFolder.around(candidate.model()).map(RunFolder::log).filter(Files::isRegularFile);
            if (log.isPresent() && series.size() < MOST) {
                add(series, candidate.name(), RunEvents.lines(log.get()));
            }
        }
        return new Chart("Training loss", "images seen", "diffusion loss", false, series);
    }

    /** Mean squared difference in ε to the teacher, by time. */
    static Chart agreement(Map<String, TimeBins> byName) {
        List<Chart.Series> series = byName.entrySet().stream()
                .limit(MOST)
                .map(entry -> new Chart.Series(
                        entry.getKey(),
                        entry.getValue().centres(),
                        entry.getValue().means()))
                .toList();
        return new Chart(
                "Difference from the teacher by time", "time (0 data, 1 noise)", "ε-MSE to the teacher", true, series);
    }

    private static void add(List<Chart.Series> series, String name, List<RunEvent.Line> lines) {
        List<double[]> points = new ArrayList<>();
        for (RunEvent.Line line : lines) {
            if (line.values().get(LOSS) instanceof Number loss) {
                points.add(new double[] {line.imagesSeen(), loss.doubleValue()});
            }
        }
        if (!points.isEmpty()) {
            series.add(new Chart.Series(
                    name,
                    points.stream().mapToDouble(point -> point[0]).toArray(),
                    points.stream().mapToDouble(point -> point[1]).toArray()));
        }
    }
}
