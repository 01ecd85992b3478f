package dev.retort.examples;

import dev.retort.data.DataConfig;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.Extractors;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Measurement;
import dev.retort.pipeline.Models;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Provenance;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.List;

/**
 * Lesson 6: what was kept and what was gained. Judges models of shapes against real shapes, measures speed and memory of each
 * in a process of its own, and writes {@code compare.json} and {@code compare.html}. Arguments: teacher, student, folder,
 * rounds of measuring.
 */
public final class CompareModels {
    private static final int SAMPLES = 500;

    private CompareModels() {}

    /** Compares, prints the table and returns the page. */
    public static Path compare(Path teacher, Path student, Path folder, int rounds) {
        Device device = Device.choose("auto").device();
        Precision precision = Precision.choose("auto", device).precision();
        DataConfig shapes = DataConfig.shapes(Models.card(teacher).images().height());
        Evaluator.Settings settings = new Evaluator.Settings(SAMPLES, 0, 100, device, precision);
        Measurement measurement = new Measurement(4, rounds, 2, device.toString(), precision, 0);
        try (Evaluator evaluator =
                Evaluator.of(shapes, Extractors.USUAL, new FeatureCache(folder.resolve("features")), settings)) {
            ComparisonReport report = new Comparison(
                            candidate("teacher", teacher), List.of(candidate("student", student)), List.of())
                    .report(
                            evaluator,
                            measurement,
                            List.of("CompareModels"),
                            Provenance.here("CompareModels", 0),
                            (done, total, text) -> {});
            System.out.println(report.toTable().render());
            report.notes().forEach(System.out::println);
            return Comparison.save(report, folder);
        }
    }

    /** As its card says to sample it; give another {@link dev.retort.card.SamplingSpec} to compare at equal settings. */
    private static Candidate candidate(String name, Path model) {
        return new Candidate(name, model, Models.card(model).sampling());
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path page = compare(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]), Integer.parseInt(args[3]));
        System.out.println("the page lies in " + page);
    }
}
