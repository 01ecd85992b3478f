package dev.retort.cli;

import dev.retort.config.Configs;
import dev.retort.config.Preset;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.ByteSize;
import dev.retort.quantize.QuantizationReport;
import dev.retort.quantize.QuantizationReport.Fate;
import dev.retort.quantize.QuantizationReport.LayerReport;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.quantize.Quantizer;
import dev.retort.report.TextTable;
import dev.retort.torch.Natives;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a model of fewer bits. */
@Command(
        name = "quantize",
        header = {
            "Make a model of 8 or 4 bits: smaller, and on some machines faster. Says what each layer loses by it.",
            "",
            "Examples:",
            "  retort quantize runs/student int8-static --out student-int8    ranges measured at each step",
            "  retort quantize runs/student int8-dynamic --out student-int8   no ranges to go wrong",
            "  retort quantize runs/student w4 --out student-w4               the smallest file",
            "  retort quantize MODEL int8-static --out small --set budget.output=0.02",
            "  retort quantize MODEL int8-static --out small --set isa=any    for CPUs without VNNI too",
            "  retort presets quantize                                        the recipes that there are",
            ""
        })
final class QuantizeCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Mixin
    private LoraOptions loras;

    @Parameters(index = "0", paramLabel = "MODEL", description = "A run, one of its checkpoints or a model folder.")
    private String given;

    @Parameters(
            index = "1",
            paramLabel = "RECIPE",
            description = "A preset ('retort presets quantize') or a YAML file.")
    private String recipe;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "Where the quantised model goes.")
    private Path out;

    @Option(names = "--force", description = "Replace a folder that holds nothing but what Retort wrote.")
    private boolean force;

    @Option(names = "--set", paramLabel = "a.b=v", description = "Change a field; may be given again.")
    private List<String> assignments = new ArrayList<>();

    @Option(
            names = "--threads",
            paramLabel = "N",
            converter = Numbers.Threads.class,
            description = "CPU threads, 1 to 1024; by default one for each core.")
    private Integer threads;

    /** What is printed as JSON. */
    record Quantised(
            String out,
            String quantization,
            long bytesBefore,
            long bytes,
            double outputError,
            double sampleError,
            List<Layer> layers,
            Map<String, Double> millisecondsPerStep,
            boolean slower,
            String advice) {}

    /** A layer of it; without an error where it is kept by the recipe. */
    record Layer(String name, List<Long> shape, Double error, String fate) {}

    @Override
    public Integer call() {
        Natives.threads(threads == null ? 0 : threads);
        Preset preset = PresetsCommand.open(QuantizeRecipe.KIND, recipe);
        QuantizeRecipe how = Configs.load(QuantizeRecipe.class, preset, assignments);
        if (Files.exists(out) && !force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        Path model = ModelArgument.folder(given, output);
        QuantizationReport report;
        try (AdaptedCopies copies = loras.copies(output);
                Bar bar = output.bar("measure", "layers")) {
            report = new Quantizer(copies.of(model), how, output::say, bar).run(out);
        }
        if (output.json()) {
            output.terminal().json(json(report));
        } else {
            output.terminal().out().print(table(report).render());
            output.terminal().out().print(lines(report));
        }
        output.say(report.advice());
        output.next("retort compare " + given + " " + out);
        return 0;
    }

    private Quantised json(QuantizationReport report) {
        return new Quantised(
                out.toString(),
                report.spec().text(),
                report.bytesBefore(),
                report.bytes(),
                report.errors().output(),
                report.errors().sample(),
                report.layers().stream()
                        .map(layer -> new Layer(
                                layer.name(),
                                layer.shape(),
                                Double.isNaN(layer.error()) ? null : layer.error(),
                                layer.fate().name().toLowerCase(Locale.ROOT)))
                        .toList(),
                report.milliseconds(),
                report.isSlower(),
                report.advice());
    }

    private static TextTable table(QuantizationReport report) {
        TextTable table = new TextTable(List.of("layer", "weight", "error alone", ""));
        for (LayerReport layer : report.layers()) {
            table.row(List.of(
                    layer.name(),
                    layer.shape().stream().map(String::valueOf).collect(Collectors.joining(" x ")),
                    Double.isNaN(layer.error()) ? "" : percent(layer.error()),
                    fate(layer.fate())));
        }
        return table;
    }

    private static String fate(Fate fate) {
        return switch (fate) {
            case QUANTISED -> "quantised";
            case KEPT -> "kept, as the recipe says";
            case RAISED -> "kept, for the budget";
        };
    }

    private static String lines(QuantizationReport report) {
        StringBuilder text = new StringBuilder("\n");
        line(text, "Model", report.spec().text());
        line(text, "Size", ByteSize.text(report.bytesBefore()) + " before, " + ByteSize.text(report.bytes()) + " now");
        line(text, "Output", "differs by " + percent(report.errors().output()) + " at the states of the model");
        line(text, "Samples", "differ by " + percent(report.errors().sample()) + " from the same noise");
        line(
                text,
                "Step",
                report.milliseconds().entrySet().stream()
                                .map(time -> time.getKey() + String.format(Locale.ROOT, " %.2f ms", time.getValue()))
                                .collect(Collectors.joining("; "))
                        + " (four pictures)");
        return text.toString();
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format(Locale.ROOT, "%-9s%s%n", label, value));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }
}
