package dev.retort.evaluate;

import dev.retort.report.Chart;
import dev.retort.report.JsonlLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Curves of a comparison: how the models learned, where their runs are at hand, and where in time they differ. */
final class Curves {
    private static final String LOG = "log.jsonl";
    private static final String LOSS = "loss/diffusion";
    private static final int MOST = 8;

    private Curves() {}

    /** The plain training loss of each model that lies in a run folder; a chart without series where none does. */
    static Chart training(List<Contestant> contestants) {
        List<Chart.Series> series = new ArrayList<>();
        for (Contestant contestant : contestants) {
            Path log = log(contestant.model().toAbsolutePath().normalize());
            if (log != null && series.size() < MOST) {
                add(series, contestant.name(), JsonlLog.read(log));
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

    /** A run keeps its log beside {@code model/} and above {@code checkpoints/N/}. */
    private static Path log(Path model) {
        Path at = model;
        for (int up = 0; up < 3 && at != null; up++, at = at.getParent()) {
            if (Files.isRegularFile(at.resolve(LOG))) {
                return at.resolve(LOG);
            }
        }
        return null;
    }

    private static void add(List<Chart.Series> series, String name, List<Map<String, Object>> entries) {
        List<double[]> points = new ArrayList<>();
        for (Map<String, Object> entry : entries) {
            if (entry.get(LOSS) instanceof Number loss && entry.get("imagesSeen") instanceof Number seen) {
                points.add(new double[] {seen.doubleValue(), loss.doubleValue()});
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
