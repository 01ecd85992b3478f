package dev.retort.examples;

import dev.retort.quantize.QuantizationReport;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.quantize.Quantizer;
import dev.retort.report.Progress;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * Lesson 11: a student in 8 bits. It is watched while it is sampled, its weights and what its layers are given are rounded, and
 * the layers that do most harm keep their bits until its output is no further from the original's than a budget. The folder that
 * comes of it is a model like any other. Arguments: model, folder, budget such as 0.03.
 */
public final class FewerBits {
    private FewerBits() {}

    /** Quantises, says which layers cost most, and returns the report. */
    public static QuantizationReport quantise(Path model, Path out, double budget) {
        QuantizeRecipe recipe = QuantizeRecipe.of("int8-dynamic", List.of("budget.output=" + budget));
        QuantizationReport report = new Quantizer(model, recipe, System.out::println, Progress.NONE).run(out);
        report.layers().stream()
                .filter(layer -> !Double.isNaN(layer.error()))
                .sorted(Comparator.comparingDouble(QuantizationReport.LayerReport::error)
                        .reversed())
                .limit(3)
                .forEach(layer -> System.out.println(layer.name() + " alone " + layer.error() + ", " + layer.fate()));
        System.out.println(report.advice());
        return report;
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        QuantizationReport report = quantise(Path.of(args[0]), Path.of(args[1]), Double.parseDouble(args[2]));
        System.out.println("the model lies in " + args[1] + ", " + report.bytes() + " bytes, its output differs by "
                + report.errors().output());
    }
}
