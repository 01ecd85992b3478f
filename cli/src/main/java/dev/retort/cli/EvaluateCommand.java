package dev.retort.cli;

import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Cost;
import dev.retort.evaluate.Evaluation;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.Measurement;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.ModelColumn.Role;
import dev.retort.report.Provenance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Judges one model against real images and measures what it costs. */
@Command(
        name = "evaluate",
        header = {
            "Judge a model: distances to real images, class accuracy, size, speed and memory.",
            "",
            "Examples:",
            "  retort evaluate runs/student                              10,000 images against the test split",
            "  retort evaluate runs/student --samples 2000 --steps 4     fewer images, fewer steps",
            "  retort evaluate runs/student --extractor pixels --json    the untrained control, as JSON",
            ""
        })
final class EvaluateCommand implements Callable<Integer> {
    @Mixin
    private EvaluationOptions options;

    @Mixin
    private Output output;

    @Parameters(paramLabel = "CHECKPOINT", description = ModelArgument.PLACES)
    private String checkpoint;

    @Override
    public Integer call() {
        Candidate candidate = options.candidate(checkpoint, List.of(), output);
        ComputeOptions.Chosen chosen = options.choose(output);
        ComparisonReport report;
        try (Evaluator evaluator = options.evaluator(candidate, chosen, output)) {
            Evaluation evaluation;
            try (Bar bar = output.bar("draw", "images")) {
                evaluation = evaluator.evaluate(candidate, bar);
            }
            Measurement measurement = options.measurement(chosen);
            Map<Candidate, Cost> costs;
            try (Bar bar = output.bar("measure", "turns")) {
                costs = measurement.of(List.of(candidate), bar);
            }
            List<String> notes = new ArrayList<>(evaluator.notes());
            notes.addAll(measurement.notes());
            report = report(evaluator, evaluation, costs.get(candidate), notes);
        }
        if (output.json()) {
            output.terminal().out().println(report.toJson());
        } else {
            output.terminal().out().print(report.toTable().render());
        }
        report.notes().forEach(output::say);
        output.next("retort compare TEACHER " + checkpoint);
        return 0;
    }

    private ComparisonReport report(Evaluator evaluator, Evaluation evaluation, Cost cost, List<String> notes) {
        Map<Measure, Double> values = new LinkedHashMap<>(cost == null ? evaluation.size() : cost.measures());
        values.remove(Cost.SPEED_UP);
        values.putAll(evaluation.measures());
        Candidate candidate = evaluation.candidate();
        List<ModelColumn> columns = new ArrayList<>();
        columns.add(new ModelColumn(candidate.name(), Role.VARIANT, candidate.description(), values));
        columns.add(new ModelColumn(
                "real images",
                Role.REAL,
                "training images in a model's place",
                evaluator.floor().measures()));
        return new ComparisonReport(
                candidate.name(),
                "",
                columns,
                List.of(),
                List.of(),
                notes,
                List.of(output.command()),
                Provenance.here(output.command(), options.seed()));
    }
}
