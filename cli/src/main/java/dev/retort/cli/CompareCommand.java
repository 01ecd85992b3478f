package dev.retort.cli;

import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.io.AtomicWrite;
import dev.retort.report.ComparisonReport;
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
            description = "The model that was distilled: a folder, or hf:OWNER/NAME.")
    private String teacher;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "STUDENT", description = "What came out of it.")
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
        Candidate original = candidate(teacher, taken);
        List<Candidate> distilled =
                students.stream().map(model -> candidate(model, taken)).toList();
        List<Candidate> alone =
                scratch.stream().map(model -> candidate(model, taken)).toList();
        Path folder =
                out == null ? Path.of("runs", "compare-" + distilled.get(0).name()) : out;
        AtomicWrite.requireWritable(folder.resolve("compare.json"));
        ComputeOptions.Chosen chosen = options.choose(output);
        ComparisonReport report;
        try (Evaluator evaluator = options.evaluator(original, chosen, output);
                Bar bar = output.bar("compare", "")) {
            report = new Comparison(original, distilled, alone)
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
            output.terminal().out().print(report.toTable().render());
            output.terminal().out().println();
            output.terminal().out().println(report.summary());
        }
        report.notes().forEach(output::say);
        output.say("The page with the pictures: " + page);
        output.next("retort sample " + students.get(0));
        return 0;
    }

    private Candidate candidate(String model, List<String> taken) {
        Candidate candidate = options.candidate(model, taken, output);
        taken.add(candidate.name());
        return candidate;
    }
}
