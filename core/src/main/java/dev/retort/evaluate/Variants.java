package dev.retort.evaluate;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.export.OnnxExport;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxWriter;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.quantize.Quantizer;
import dev.retort.report.Progress;
import dev.retort.sample.Folding;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Makes a model's forms in a folder: those that the usual presets quantise, and of each the exported file. A student of few steps is folded first,
 * as it would be before it is deployed.
 *
 * @param scratch where they go
 * @param notes is told what is done
 */
record Variants(Path scratch, Consumer<String> notes) {
    /** The form that all others are compared with. */
    static final String FULL = "fp32";

    private static final List<String> PRESETS = List.of("int8-static", "int8-dynamic", "w4");

    /**
     * A form, or why there is none.
     *
     * @param name the form's
     * @param engine what computes it
     * @param variant empty where it could not be made
     * @param why empty where it was
     */
    record Made(String name, Engine engine, Optional<Variant> variant, String why) {
        static Made of(String name, Engine engine, Supplier<Variant> making) {
            try {
                return new Made(name, engine, Optional.of(making.get()), "");
            } catch (RuntimeException e) { // of whatever kind: it is a row that says so
                return new Made(name, engine, Optional.empty(), String.valueOf(e.getMessage()));
            }
        }
    }

    /** All of them, that in full precision first. */
    List<Made> of(Candidate given, Progress progress) {
        if (!Files.exists(given.model().resolve(ModelFiles.CARD))) {
            throw new RetortException(
                    Kind.USAGE,
                    given.model() + " is another program's; 'retort convert " + given.model()
                            + " MODEL' makes a model of it, which can be measured");
        }
        given.card().requireFloats(given.name(), "be measured beside its forms of fewer bits");
        Candidate model = folded(given);
        Portions portions = new Portions(progress, 2 * PRESETS.size() + 1.0);
        List<Made> made = new ArrayList<>();
        made.add(Made.of(FULL, Engine.LIBTORCH, () -> inLibtorch(FULL, model, Precision.FP32)));
        made.add(Made.of("bf16", Engine.LIBTORCH, () -> {
            Precision.Choice choice = Precision.choose("auto", Device.CPU);
            if (choice.precision() != Precision.BF16) {
                throw new RetortException(Kind.ENVIRONMENT, choice.reason());
            }
            return inLibtorch("bf16", model, Precision.BF16);
        }));
        for (String preset : PRESETS) {
            Progress part = portions.next(1, preset);
            made.add(Made.of(preset, Engine.LIBTORCH, () -> quantised(preset, model, part)));
        }
        for (Made one : List.copyOf(made)) {
            if (!one.name().equals("bf16")) { // ONNX Runtime's products on CPUs are of fp32 or of 8 bits
                portions.next(1, one.name() + " in ONNX").update(0, 1, "");
                made.add(Made.of(one.name(), Engine.ONNX_RUNTIME, () -> exported(one)));
            }
        }
        return made;
    }

    private Candidate folded(Candidate given) {
        if (!Folding.allowed(given.card()) || !OnnxExport.ways(given.card()).contains(given.sampling())) {
            return given;
        }
        Path folder = scratch.resolve("folded");
        Folding.fold(given.model(), folder, dev.retort.torch.Dtype.F32);
        notes.accept(given.name() + " is sampled in few steps, so it was folded first");
        return in(folder, given);
    }

    /** Another folder of the model, sampled alike. */
    private static Candidate in(Path folder, Candidate origin) {
        Candidate same = new Candidate(origin.name(), folder, origin.sampling(), origin.autoencoder());
        return same.with(same.card().withTrainedFor(origin.card().trainedFor()));
    }

    private static Variant inLibtorch(String name, Candidate candidate, Precision precision) {
        Path weights = candidate.model().resolve(ModelFiles.WEIGHTS);
        return new Variant(
                name,
                Engine.LIBTORCH,
                candidate,
                precision,
                weights,
                weights.toFile().length());
    }

    private Variant quantised(String preset, Candidate model, Progress progress) {
        Path folder = scratch.resolve(preset);
        new Quantizer(
                        model.model(),
                        QuantizeRecipe.of(preset, List.of()),
                        note -> notes.accept(preset + ": " + note),
                        progress)
                .run(folder);
        return inLibtorch(preset, in(folder, model), Precision.FP32);
    }

    private Variant exported(Made made) {
        Variant variant = made.variant().orElseThrow(() -> new RetortException(Kind.CHECKPOINT, made.why()));
        Candidate candidate = variant.candidate();
        if (candidate.card().autoencoder() != null) {
            throw new RetortException(Kind.USAGE, "the file would compute latents, and no decoder is in it");
        }
        Path file = scratch.resolve(made.name() + ".onnx");
        OnnxExport.Written written = new OnnxExport(
                        List.of(candidate.sampling()), false, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(candidate.model(), file);
        return new Variant(made.name(), Engine.ONNX_RUNTIME, candidate, Precision.FP32, file, written.bytes());
    }
}
