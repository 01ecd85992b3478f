package dev.retort.evaluate;

import dev.retort.report.Chart;
import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Curves of a comparison: what a distance becomes with fewer network calls, how the models learned, where their runs are at hand, and where in time they differ. */
final class Curves {
    private static final String LOSS = TrainingMetric.loss(TrainingMetric.DIFFUSION);
    private static final int MOST = 8;

    private Curves() {}

    /** Each Fréchet distance over network calls, a line for each model; the real images, which nobody calls, are no point. */
    static List<Chart> distances(List<ModelColumn> columns) {
        return columns.get(0).values().keySet().stream()
                .filter(measure -> measure.name().startsWith("F")) // FD-…, or FID for the weights that define it
                .map(measure -> new Chart(
                        measure.name() + " over network calls",
                        "network calls for one image",
                        measure.name(),
                        true,
                        true,
                        distances(columns, measure)))
                .toList();
    }

    private static List<Chart.Series> distances(List<ModelColumn> columns, Measure measure) {
        Map<String, List<ModelColumn>> lines = new LinkedHashMap<>();
        columns.stream()
                .filter(column -> column.value(Measure.NETWORK_CALLS).isPresent())
                .sorted(Comparator.comparingDouble(
                        column -> column.value(Measure.NETWORK_CALLS).orElseThrow()))
                .forEach(column -> lines.computeIfAbsent(ModelColumn.line(column.name()), line -> new ArrayList<>())
                        .add(column));
        return columns.stream()
                .map(column -> ModelColumn.line(column.name()))
                .distinct()
                .filter(lines::containsKey)
                .limit(MOST)
                .map(line -> new Chart.Series(
                        line, values(lines.get(line), Measure.NETWORK_CALLS), values(lines.get(line), measure)))
                .toList();
    }

    private static double[] values(List<ModelColumn> columns, Measure measure) {
        return columns.stream()
                .mapToDouble(column -> column.value(measure).orElse(Double.NaN))
                .toArray();
    }

    /** The plain training loss of each model that lies in a run folder; a chart without series where none does. */
    static Chart training(List<Candidate> candidates) {
        List<Chart.Series> series = new ArrayList<>();
        Set<Path> drawn = new HashSet<>();
        for (Candidate candidate : candidates) {
            Optional<Path> log =
                    RunFolder.around(candidate.model()).map(RunFolder::log).filter(Files::isRegularFile);
            if (log.isPresent() && series.size() < MOST && drawn.add(log.get())) {
                add(series, candidate.line(), RunEvents.lines(log.get()));
            }
        }
        return new Chart("Training loss", "images seen", "diffusion loss", false, false, series);
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
                "Difference from the teacher by time",
                "time (0 data, 1 noise)",
                "ε-MSE to the teacher",
                false,
                true,
                series);
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
