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
            "  retort evaluate runs/student@8,4,2,1 --rounds 0           in these numbers of steps, a line for each",
            "  retort evaluate runs/student --extractor pixels --json    by the control of pixels alone, as JSON",
            ""
        })
final class EvaluateCommand implements Callable<Integer> {
    @Mixin
    private EvaluationOptions options;

    @Mixin
    private Output output;

    @Mixin
    private LoraOptions loras;

    @Parameters(
            paramLabel = "CHECKPOINT",
            description = ModelArgument.PLACES + " With @4,2,1 behind it in these numbers of steps.")
    private String checkpoint;

    @Override
    public Integer call() {
        List<Candidate> candidates = options.candidates(checkpoint, new ArrayList<>(), output);
        try (AdaptedCopies copies = loras.copies(output)) {
            return judge(candidates.stream()
                    .map(candidate -> candidate.at(copies.of(candidate.model())))
                    .toList());
        }
    }

    private int judge(List<Candidate> candidates) {
        ComputeOptions.Chosen chosen = options.choose(output);
        ComparisonReport report;
        try (Evaluator evaluator = options.evaluator(candidates, chosen, output)) {
            List<Evaluation> evaluations = new ArrayList<>();
            for (Candidate candidate : candidates) {
                try (Bar bar = output.bar("draw", "images")) {
                    evaluations.add(evaluator.evaluate(candidate, bar));
                }
            }
            Measurement measurement = options.measurement(chosen);
            Map<Candidate, Cost> costs;
            try (Bar bar = output.bar("measure", "turns")) {
                costs = measurement.of(candidates, bar);
            }
            List<String> notes = new ArrayList<>(evaluator.notes());
            notes.addAll(measurement.notes());
            evaluations.forEach(evaluation -> evaluation
                    .prompts()
                    .ifPresent(
                            score -> notes.add(score.note(evaluation.candidate().name()))));
            report = report(evaluator, evaluations, costs, notes);
        }
        if (output.json()) {
            output.terminal().out().println(report.toJson());
        } else {
            boolean lines = candidates.size() > 1;
            output.terminal().out().print((lines ? report.toLines() : report.toTable()).render());
        }
        report.notes().forEach(output::say);
        output.next("retort compare TEACHER " + checkpoint);
        return 0;
    }

    private ComparisonReport report(
            Evaluator evaluator, List<Evaluation> evaluations, Map<Candidate, Cost> costs, List<String> notes) {
        List<ModelColumn> columns = new ArrayList<>();
        for (Evaluation evaluation : evaluations) {
            ModelColumn column = evaluation.column(Role.VARIANT, costs.get(evaluation.candidate()));
            Map<Measure, Double> values = new LinkedHashMap<>(column.values());
            values.remove(Cost.SPEED_UP);
            columns.add(new ModelColumn(column.name(), column.role(), column.description(), values));
        }
        columns.add(evaluator.floor());
        return new ComparisonReport(
                ModelColumn.line(columns.get(0).name()),
                "",
                columns,
                List.of(),
                List.of(),
                notes,
                List.of(output.command()),
                Provenance.here(output.command(), options.seed()));
    }
}
