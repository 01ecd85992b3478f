package dev.retort.cli;

import dev.retort.evaluate.Contestant;
import dev.retort.evaluate.Evaluation;
import dev.retort.evaluate.Judge;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Provenance;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Scores of one model beside their floor. */
@Command(
        name = "evaluate",
        header = {
            "Draw images from a model and score them against real ones, beside the floor that real images reach.",
            "",
            "Examples:",
            "  retort evaluate runs/teacher                                 10000 samples against the test split",
            "  retort evaluate runs/teacher --samples 2000 --steps 4        fewer, in four steps",
            "  retort evaluate zoo/fashion-student --data DIR --json        as JSON",
            "  retort evaluate runs/x --extractor pixels                    by the untrained control",
            ""
        })
final class EvaluateCommand implements Callable<Integer> {
    @Mixin
    private Talk talk;

    @Mixin
    private Hardware hardware;

    @Mixin
    private JudgeOptions options;

    @Parameters(paramLabel = "MODEL", description = "A run folder, a checkpoint or a model folder.")
    private Path model;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Contestant contestant = options.contestant(model);
        Hardware.Chosen chosen = hardware.choose(talk);
        ComparisonReport report;
        try (Judge judge = options.judge(contestant, chosen)) {
            Evaluation evaluation;
            try (Bar bar = talk.bar("evaluate", "images")) {
                evaluation = judge.judge(contestant, bar);
            }
            String command = CommandText.of(spec);
            report = evaluation.report(judge, List.of(command), Provenance.here(command, options.seed()));
        }
        if (talk.json()) {
            talk.terminal().out().println(report.toJson());
            return 0;
        }
        talk.terminal().out().print(report.toTable().render());
        report.notes().forEach(talk::say);
        return 0;
    }
}
