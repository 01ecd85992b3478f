package dev.retort.cli;

import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.io.AtomicWrite;
import dev.retort.report.ComparisonReport;
import dev.retort.report.ModelColumn;
import dev.retort.report.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Puts students beside their teacher: quality, cost, agreement, pictures, and the honest zeros. */
@Command(
        name = "compare",
        header = {
            "Compare students with their teacher: a table, JSON, and a page with pictures side by side.",
            "",
            "Examples:",
            "  retort compare runs/teacher runs/student",
            "  retort compare runs/teacher runs/student --scratch runs/alone   with the second honest zero",
            "  retort compare runs/teacher runs/a runs/b --samples 2000 --out runs/a-and-b",
            "  retort compare runs/teacher runs/a@4,2,1 runs/b@4          in these numbers of steps",
            ""
        })
final class CompareCommand implements Callable<Integer> {
    @Mixin
    private EvaluationOptions options;

    @Mixin
    private Output output;

    @Parameters(
            index = "0",
            paramLabel = "TEACHER",
            description =
                    "The model that was distilled: a folder, or hf:OWNER/NAME. With @8,4 behind it in 8 steps, to which all else is"
                            + " compared, and in 4.")
    private String teacher;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "STUDENT",
            description = "What came out of it; with @4,2,1 behind it in these numbers of steps.")
    private List<String> students;

    @Option(
            names = "--scratch",
            paramLabel = "MODEL",
            description = "A student's network trained without a teacher; may be given again.")
    private List<String> scratch = new ArrayList<>();

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "Where the page and the JSON go; by default runs/compare-STUDENT.")
    private Path out;

    @Override
    public Integer call() {
        List<String> taken = new ArrayList<>();
        List<Candidate> original = options.candidates(teacher, taken, output);
        List<Candidate> distilled = candidates(students, taken);
        List<Candidate> alone = candidates(scratch, taken);
        Path folder = out == null
                ? Path.of("runs", "compare-" + ModelColumn.line(distilled.get(0).name()))
                : out;
        AtomicWrite.requireWritable(folder.resolve("compare.json"));
        distilled.addAll(original.subList(1, original.size()));
        List<Candidate> all = new ArrayList<>(original);
        all.addAll(distilled);
        all.addAll(alone);
        ComputeOptions.Chosen chosen = options.choose(output);
        ComparisonReport report;
        try (Evaluator evaluator = options.evaluator(all, chosen, output);
                Bar bar = output.bar("compare", "")) {
            report = new Comparison(original.get(0), distilled, alone)
                    .report(
                            evaluator,
                            options.measurement(chosen),
                            List.of(output.command()),
                            Provenance.here(output.command(), options.seed()),
                            bar);
        }
        Path page = Comparison.save(report, folder);
        if (output.json()) {
            output.terminal().out().println(report.toJson());
        } else {
            boolean lines = distilled.size() > students.size();
            output.terminal().out().print((lines ? report.toLines() : report.toTable()).render());
            output.terminal().out().println();
            output.terminal().out().println(report.summary());
        }
        report.notes().forEach(output::say);
        output.say("The page with the pictures: " + page);
        output.next("retort sample " + StepCounts.of(students.get(0)).model());
        return 0;
    }

    private List<Candidate> candidates(List<String> models, List<String> taken) {
        List<Candidate> candidates = new ArrayList<>();
        models.forEach(model -> candidates.addAll(options.candidates(model, taken, output)));
        return candidates;
    }
}
