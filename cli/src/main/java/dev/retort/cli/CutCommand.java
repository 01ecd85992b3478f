package dev.retort.cli;

import dev.retort.card.NamedLayout;
import dev.retort.card.NetworkSpec;
import dev.retort.card.UNetLayout;
import dev.retort.config.Configs;
import dev.retort.cut.CutReport;
import dev.retort.cut.ModelCut;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.quantize.CalibrationConfig;
import dev.retort.report.TextTable;
import dev.retort.torch.Natives;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a smaller model of a part of a larger one. */
@Command(
        name = "cut",
        header = {
            "Cut a smaller student out of a U-Net: fewer blocks, layers or channels, to be distilled next.",
            "",
            "Examples:",
            "  retort cut runs/teacher --layout base --out student            every second block left out (BK-SDM)",
            "  retort cut runs/teacher --layout tiny --dry-run                what would be left, nothing written",
            "  retort cut runs/teacher --channels 0.5 --out student           half of the channels of every block",
            "  retort cut runs/teacher --layers 4 --out student               without the 4 layers that change least",
            "  retort cut runs/teacher --layout blocks.yaml --out student     blocks by number: docs/distillation.md",
            ""
        })
final class CutCommand implements Callable<Integer> {
    private static final int SAMPLES = 8;

    @Mixin
    private Output output;

    @Parameters(index = "0", paramLabel = "TEACHER", description = "A run, one of its checkpoints or a model folder.")
    private String given;

    @Option(
            names = "--layout",
            paramLabel = "NAME|FILE",
            description =
                    "Which blocks are kept: base (every second one left out), small (base without the middle), tiny"
                            + " (small without the innermost level), or a YAML file; by default all.")
    private String layout = word(NamedLayout.WHOLE);

    @Option(
            names = "--channels",
            paramLabel = "SHARE",
            description = "Share of the channels that is kept, such as 0.5.")
    private double channels = 1;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description =
                    "Leave out N layers of transformers beside, those that change the output least: it is measured.")
    private int layers;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where the student goes.")
    private Path out;

    @Option(names = "--force", description = "Replace a folder that holds nothing but what Retort wrote.")
    private boolean force;

    @Option(names = "--dry-run", description = "Say what would be left, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--threads",
            paramLabel = "N",
            converter = Numbers.Threads.class,
            description = "CPU threads, 1 to 1024; by default one for each core.")
    private Integer threads;

    /** What is printed as JSON. */
    record Cut(
            String out, Size before, Size after, UNetLayout layout, Map<String, Double> layers, Set<String> leftOut) {}

    /** A network of it; without a time in a dry run. */
    record Size(String network, long parameters, long macs, Double millisecondsPerStep) {}

    @Override
    public Integer call() {
        Natives.threads(threads == null ? 0 : threads);
        if (out == null && !dryRun) {
            throw new RetortException(
                    Kind.USAGE, "the student needs a folder: give --out, or --dry-run to write nothing");
        }
        if (out != null && Files.exists(out) && !force && !dryRun) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        ModelCut.Layout blocks = blocks();
        Path model = ModelArgument.folder(given, output);
        CutReport report;
        try (Bar bar = output.bar("measure", "layers")) {
            ModelCut cut = new ModelCut(model, blocks, channels, layers, new CalibrationConfig(SAMPLES, 0, ""), bar);
            report = dryRun ? cut.plan() : cut.run(out);
        }
        if (output.json()) {
            output.terminal().json(json(report));
        } else {
            output.terminal().out().print(table(report).render());
            if (!report.layers().isEmpty()) {
                output.terminal().out().print("\n" + layers(report).render());
            }
        }
        if (!dryRun) {
            output.say(out
                    + " is untrained: train it with the loss of its teacher's outputs and features, in a recipe with "
                    + "init=from:model=" + out);
            output.next("retort inspect " + out);
        }
        return 0;
    }

    private ModelCut.Layout blocks() {
        Optional<NamedLayout> named = Arrays.stream(NamedLayout.values())
                .filter(known -> word(known).equals(layout))
                .findFirst();
        if (named.isPresent()) {
            return named.get()::of;
        }
        Path file = Path.of(layout);
        if (!Files.exists(file)) {
            throw new RetortException(
                            Kind.USAGE,
                            "layout is " + layout + ", expected "
                                    + String.join(
                                            ", ",
                                            Arrays.stream(NamedLayout.values())
                                                    .map(CutCommand::word)
                                                    .toList())
                                    + " or a YAML file that is there")
                    .about("layout");
        }
        UNetLayout kept = Configs.part(UNetLayout.class, file).orElseThrow();
        return teacher -> kept;
    }

    private static String word(NamedLayout name) {
        return name.name().toLowerCase(Locale.ROOT);
    }

    private Cut json(CutReport report) {
        return new Cut(
                out == null || dryRun ? null : out.toString(),
                size(report.teacher(), report.milliseconds().get(CutReport.TEACHER)),
                size(report.student(), report.milliseconds().get(CutReport.STUDENT)),
                report.layout(),
                report.layers(),
                report.leftOut());
    }

    private static Size size(NetworkSpec network, Double milliseconds) {
        return new Size(network.name(), network.parameters(), network.macs(), milliseconds);
    }

    private static TextTable table(CutReport report) {
        TextTable table = new TextTable(List.of("", "before", "after", ""));
        NetworkSpec before = report.teacher();
        NetworkSpec after = report.student();
        table.row(List.of("network", before.name(), after.name(), ""));
        row(table, "parameters (M)", before.parameters() / 1e6, after.parameters() / 1e6);
        row(table, "MACs of a step (M)", before.macs() / 1e6, after.macs() / 1e6);
        if (!report.milliseconds().isEmpty()) {
            row(
                    table,
                    "step of four pictures (ms)",
                    report.milliseconds().get(CutReport.TEACHER),
                    report.milliseconds().get(CutReport.STUDENT));
        }
        return table;
    }

    private static void row(TextTable table, String what, double before, double after) {
        table.row(List.of(what, number(before), number(after), percent(after / before)));
    }

    private static TextTable layers(CutReport report) {
        TextTable table = new TextTable(List.of("layer", "change of the output alone", ""));
        report.layers()
                .forEach((name, change) -> table.row(
                        List.of(name, percent(change), report.leftOut().contains(name) ? "left out" : "")));
        return table;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
