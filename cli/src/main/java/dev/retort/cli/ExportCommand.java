package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.export.OnnxExport;
import dev.retort.export.TorchScriptExport;
import dev.retort.hub.ByteSize;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.onnx.OnnxWriter;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model for other programs. */
@Command(
        name = "export",
        header = {
            "Write a model as a file for other programs, opened and compared with the network before it gets its name.",
            "",
            "Examples:",
            "  retort export runs/few                          few.onnx: one call of the network, and how to sample it",
            "  retort export runs/few --unroll 1               noise in, pixels out: all steps in the file",
            "  retort export runs/teacher@50,20                any number of steps: plans for 50 and for 20",
            "  retort export runs/teacher --unroll 8 --guidance 2 --out teacher-8.onnx",
            "  retort export runs/few --dtype fp16             half the size, computed in fp32",
            "  retort export runs/few --format torchscript     few.pt for torch.jit.load, with forward and sample",
            "  retort export runs/few --format diffusers       weights for the diffusers library",
            "",
            "A student of few steps is folded on the way: what it computes of time and class is a table in the file.",
            ""
        })
final class ExportCommand implements Callable<Integer> {
    private static final Map<String, Dtype> TYPES = Map.of("fp32", Dtype.F32, "fp16", Dtype.F16);

    @Mixin
    private Output output;

    @Mixin
    private SamplingOptions options;

    @Mixin
    private LoraOptions loras;

    @Parameters(
            paramLabel = "MODEL[@STEPS,...]",
            description =
                    "A run, one of its checkpoints or a model folder, and the numbers of steps it is to be sampled in.")
    private String given;

    @Option(
            names = "--format",
            paramLabel = "NAME",
            description = "onnx (the default), torchscript, safetensors or diffusers.")
    private String format = ExportFormat.ONNX.id();

    @Option(
            names = "--out",
            paramLabel = "PATH",
            description = "The file or folder; by default the model's name and the format's ending.")
    private Path out;

    @Option(
            names = "--unroll",
            paramLabel = "K",
            converter = Numbers.Steps.class,
            description = "All K steps in one ONNX graph: noise in, pixels out.")
    private Integer unroll;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description = "fp32 (the default) or fp16, in which matrices are stored.")
    private String dtype = "fp32";

    @Option(names = "--force", description = "Replace a file, or a folder that holds nothing but what Retort wrote.")
    private boolean force;

    /** What is printed as JSON. */
    record Exported(
            String out, String format, String form, long bytes, double error, String unit, List<String> notes) {}

    @Override
    public Integer call() {
        ExportFormat wanted = ExportFormat.named(format);
        Dtype stored = TYPES.get(dtype.toLowerCase(Locale.ROOT));
        if (stored == null) {
            throw new RetortException(Kind.USAGE, "--dtype " + dtype + " is unknown; choose fp32 or fp16");
        }
        StepCounts counts = StepCounts.of(given);
        requireFit(wanted, stored, counts);
        Path folder = ModelArgument.folder(counts.model(), steps(wanted, counts), output);
        Path target = out == null ? Path.of(ModelArgument.name(counts.model()) + wanted.ending()) : out;
        try (AdaptedCopies copies = loras.copies(output)) {
            Path model = RunFolder.own(copies.of(folder))
                    .orElseThrow(() -> new RetortException(
                            Kind.USAGE,
                            counts.model() + " is another program's; 'retort convert " + counts.model()
                                    + " MODEL' makes a model of it, which can be exported"));
            ModelCard card = ModelFiles.card(model);
            tell(
                    switch (wanted) {
                        case ONNX -> onnx(model, card, counts, target, stored);
                        case TORCHSCRIPT -> torchScript(model, card, counts, target);
                        case SAFETENSORS, DIFFUSERS -> weights(model, card, wanted, target, stored);
                    });
        }
        return 0;
    }

    private void requireFit(ExportFormat wanted, Dtype stored, StepCounts counts) {
        if (wanted == ExportFormat.TORCHSCRIPT && (unroll != null || stored != Dtype.F32)) {
            throw new RetortException(
                    Kind.USAGE,
                    "--format torchscript holds all steps in its method sample and weights in fp32; leave --unroll and"
                            + " --dtype out, or choose onnx");
        }
        if (wanted == ExportFormat.TORCHSCRIPT && counts.steps().size() > 1) {
            throw new RetortException(
                    Kind.USAGE,
                    "--format torchscript holds one way to sample, and " + given + " names "
                            + counts.steps().size() + "; name one number of steps, or choose onnx");
        }
        if (unroll != null && (!counts.steps().isEmpty() || options.steps() != null)) {
            throw new RetortException(
                    Kind.USAGE,
                    "--unroll " + unroll + " says the number of steps; leave "
                            + (options.steps() == null
                                    ? "what stands behind @ in " + given
                                    : "--steps " + options.steps())
                            + " out");
        }
        boolean weights = wanted == ExportFormat.SAFETENSORS || wanted == ExportFormat.DIFFUSERS;
        if (weights && (unroll != null || !counts.steps().isEmpty() || options.any())) {
            throw new RetortException(
                    Kind.USAGE,
                    "--format " + wanted.id() + " holds weights and no steps; leave --unroll and how to sample out, or"
                            + " choose onnx or torchscript");
        }
    }

    /** In how many steps weights are to be best; null for as many as the card says, or for several. */
    private Integer steps(ExportFormat wanted, StepCounts counts) {
        if (wanted == ExportFormat.TORCHSCRIPT && !counts.steps().isEmpty()) {
            return counts.steps().get(0);
        }
        return options.steps() == null ? unroll : options.steps();
    }

    private void requireFree(Path target) {
        if (Files.exists(target) && !force) {
            throw new RetortException(Kind.USAGE, target + " exists; give another name, or --force to replace it");
        }
    }

    private Exported onnx(Path model, ModelCard card, StepCounts counts, Path target, Dtype stored) {
        requireFree(target);
        requireFree(OnnxWriter.outside(target));
        OnnxExport.Written written =
                new OnnxExport(ways(card, counts), unroll != null, stored, OnnxWriter.MOST_INSIDE).write(model, target);
        return new Exported(
                target.toString(),
                ExportFormat.ONNX.id(),
                written.form() + (written.folded() ? ", folded" : ""),
                written.bytes(),
                written.error(),
                written.unit(),
                notes(card));
    }

    private Exported torchScript(Path model, ModelCard card, StepCounts counts, Path target) {
        requireFree(target);
        TorchScriptExport.Written written =
                new TorchScriptExport(ways(card, counts).get(0)).write(model, target);
        return new Exported(
                target.toString(),
                ExportFormat.TORCHSCRIPT.id(),
                "forward, sample",
                written.bytes(),
                written.error(),
                "largest value",
                notes(card));
    }

    private static List<String> notes(ModelCard card) {
        return card.autoencoder() == null
                ? List.of()
                : List.of("the file computes latents; the decoder that makes pictures of them is not in it");
    }

    /** As the card says, or in the numbers of steps that stand behind the model or at an option. */
    private List<SamplingSpec> ways(ModelCard card, StepCounts counts) {
        String model = counts.model();
        if (unroll != null) {
            return List.of(options.of(card, model, unroll));
        }
        if (!counts.steps().isEmpty()) {
            return counts.steps().stream()
                    .map(count -> options.of(card, model, count))
                    .toList();
        }
        return options.any() ? List.of(options.of(card, model)) : OnnxExport.ways(card);
    }

    private Exported weights(Path model, ModelCard card, ExportFormat wanted, Path target, Dtype stored) {
        String layout = wanted == ExportFormat.DIFFUSERS ? wanted.id() : "original";
        LayoutWriting writing = new LayoutWriting(target, Optional.of(layout));
        writing.requireFree(force);
        card.requireFloats(model, "be written in another layout");
        try (TensorFile file = TensorFiles.open(model.resolve(ModelFiles.WEIGHTS))) {
            List<String> notes = writing.write(card, file, new Storage(stored, Storage.SHARD_BYTES));
            return new Exported(target.toString(), wanted.id(), layout, 0, 0, "", notes);
        }
    }

    private void tell(Exported exported) {
        if (output.json()) {
            output.terminal().json(exported);
            return;
        }
        output.terminal().out().println(exported.out());
        exported.notes().forEach(note -> output.say("Mind: " + note));
        boolean onnx = exported.format().equals(ExportFormat.ONNX.id());
        if (exported.bytes() > 0) {
            output.say(String.format(
                    Locale.ROOT,
                    "%s (%s); %s computes the same up to %.1e of the %s",
                    ByteSize.text(exported.bytes()),
                    exported.form(),
                    onnx ? "ONNX Runtime" : "TorchScript",
                    exported.error(),
                    exported.unit()));
        }
        if (!exported.format().equals(ExportFormat.TORCHSCRIPT.id())) {
            output.next("retort inspect " + exported.out());
        }
    }
}
