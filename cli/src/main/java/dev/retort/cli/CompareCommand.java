package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Contestant;
import dev.retort.evaluate.Judge;
import dev.retort.evaluate.Measurement;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Teacher beside students, with the honest zeros, as a table, JSON and a page. */
@Command(
        name = "compare",
        header = {
            "Compare students with their teacher: quality, speed, memory, agreement, pictures on the same noise.",
            "",
            "Examples:",
            "  retort compare runs/teacher runs/student                            10000 samples of each",
            "  retort compare runs/teacher runs/student --samples 1000             a quick look",
            "  retort compare runs/teacher runs/student --scratch runs/alone       with the second honest zero",
            "  retort compare runs/teacher runs/a runs/b --out report --rounds 0   no speed measurement",
            "",
            "The teacher in so few steps that it costs no more than the student is always among them.",
            ""
        })
final class CompareCommand implements Callable<Integer> {
    @Mixin
    private Talk talk;

    @Mixin
    private Hardware hardware;

    @Mixin
    private JudgeOptions options;

    @Parameters(index = "0", paramLabel = "TEACHER", description = "A run folder, a checkpoint or a model folder.")
    private Path teacher;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "STUDENT", description = "What was made of it.")
    private List<Path> students;

    @Option(
            names = "--scratch",
            paramLabel = "MODEL",
            description = "A student's network trained without a teacher; may be repeated.")
    private List<Path> scratch = List.of();

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "7",
            description = "Turns of each model in the measurement of speed, 0 for none; by default 7.")
    private int rounds;

    @Option(
            names = "--speed-batch",
            paramLabel = "N",
            defaultValue = "32",
            description = "Images drawn at once in the measurement of speed and memory; by default 32.")
    private int speedBatch;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            defaultValue = "compare",
            description = "Where compare.json and compare.html go; by default compare.")
    private Path out;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (rounds < 0 || speedBatch < 1) {
            throw new RetortException(
                    Kind.USAGE,
                    "--rounds is " + rounds + " and --speed-batch " + speedBatch
                            + ", expected at least 0 and at least 1");
        }
        List<String> taken = new ArrayList<>();
        Comparison comparison = new Comparison(
                contestant(teacher, taken),
                students.stream().map(path -> contestant(path, taken)).toList(),
                scratch.stream().map(path -> contestant(path, taken)).toList());
        Hardware.Chosen chosen = hardware.choose(talk);
        Measurement measurement = new Measurement(
                speedBatch, rounds, 1, chosen.device().toString(), chosen.precision(), hardware.threads());
        String command = CommandText.of(spec);
        ComparisonReport report;
        try (Judge judge = options.judge(comparison.teacher(), chosen);
                Bar bar = talk.bar("compare", "parts")) {
            report = comparison.report(
                    judge, measurement, List.of(command), Provenance.here(command, options.seed()), bar);
        }
        Path page = Comparison.save(report, out);
        if (talk.json()) {
            talk.terminal().out().println(report.toJson());
        } else {
            talk.terminal().out().print(report.toTable().render());
        }
        talk.say(report.summary());
        talk.say("Pictures, curves and notes: " + page);
        return 0;
    }

    /** A contestant whose name no other has. */
    private Contestant contestant(Path given, List<String> taken) {
        Contestant found = options.contestant(given);
        String name = found.name();
        for (int i = 2; taken.contains(name); i++) {
            name = found.name() + "-" + i;
        }
        taken.add(name);
        return new Contestant(name, found.model(), found.sampling());
    }
}
