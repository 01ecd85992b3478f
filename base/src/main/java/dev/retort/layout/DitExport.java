package dev.retort.layout;

import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/** Writes a network as other programs expect it: exactly their keys, shapes and types. */
final class DitExport {
    private static final String CLASS = "DiTTransformer2DModel";
    private static final OwnFiles PIPELINE = new OwnFiles(
            "a pipeline without its autoencoder",
            "model_index.json",
            Pattern.compile("model_index\\.json|scheduler/scheduler_config\\.json|transformer/(config\\.json|"
                    + LibraryExport.WEIGHTS
                    + "(-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?)"));

    private DitExport() {}

    /** Refuses a folder that {@link #diffusers} would not replace: one that holds more than it writes. */
    static void requireReplaceable(Path folder) {
        PIPELINE.requireReplaceable(folder);
    }

    /** Writes the original's layout: a bare dictionary, as the released files are, of F32 there. */
    static List<String> original(Path file, ModelCard card, TensorFile parameters, Storage how) {
        DitSpec spec = (DitSpec) card.network();
        requirePlain(spec, "the original DiT");
        ConvertedWeights.requireFinite(parameters, how.dtype());
        TensorFile keys = new RowsView(parameters, DitLayout.ORIGINAL.parts(spec), parameters);
        ConvertedWeights.write(file, List.of(keys), how.dtype(), Map.of(), List.of());
        return List.of();
    }

    /**
     * Writes a pipeline folder of the diffusers library without its autoencoder: {@code model_index.json},
     * {@code transformer/} and {@code scheduler/}. Such a folder that was there is replaced; one that holds anything else,
     * such as an autoencoder, is refused.
     *
     * @return in what the library will compute otherwise than we do, a sentence each
     */
    static List<String> diffusers(Path folder, ModelCard card, TensorFile parameters, Storage how) {
        DitSpec spec = (DitSpec) card.network();
        requirePlain(spec, "the diffusers library's DiT");
        requireDiffusers(spec);
        ConvertedWeights.requireFinite(parameters, how.dtype());
        List<String> notes = differences(spec);
        AtomicWrite.folder(folder, PIPELINE, inside -> {
            Path transformer = inside.resolve("transformer");
            LibraryExport.write(transformer.resolve("config.json"), config(spec));
            LibraryExport.weights(DitLayout.DIFFUSERS.parts(spec), parameters, how)
                    .writeShards(transformer, LibraryExport.WEIGHTS, how.mostBytes());
            ObjectNode index = index(card);
            notes.addAll(LibraryExport.scheduler(inside, index, card));
            LibraryExport.part(index, "transformer", "diffusers", CLASS);
            LibraryExport.noPart(index, "vae");
            LibraryExport.write(inside.resolve("model_index.json"), index);
        });
        return notes;
    }

    /** Keys and defaults as the library itself saves them, sorted. */
    private static ObjectNode config(DitSpec spec) {
        ObjectNode config = LibraryExport.config(CLASS);
        config.put("activation_fn", "gelu-approximate");
        config.put("attention_bias", true);
        config.put("attention_head_dim", spec.hidden() / spec.heads());
        config.put("dropout", 0.0);
        config.put("in_channels", spec.channels());
        config.put("norm_elementwise_affine", false);
        config.put("norm_eps", spec.convention().mlpNormEps());
        config.put("norm_num_groups", 32);
        config.put("norm_type", "ada_norm_zero");
        config.put("num_attention_heads", spec.heads());
        config.put("num_embeds_ada_norm", spec.classes());
        config.put("num_layers", spec.depth());
        config.put("out_channels", spec.outChannels());
        config.put("patch_size", spec.patch());
        config.put("sample_size", spec.height());
        config.put("upcast_attention", false);
        return config;
    }

    private static ObjectNode index(ModelCard card) {
        ObjectNode index = LibraryExport.config("DiTPipeline");
        ObjectNode labels = index.putObject("id2label");
        for (int i = 0; i < card.classes().size(); i++) {
            labels.put(String.valueOf(i), card.classes().get(i));
        }
        return index;
    }

    private static List<String> differences(DitSpec spec) {
        List<String> notes = new ArrayList<>();
        if (spec.convention().frequencyShift() != DitConvention.DIFFUSERS.frequencyShift()) {
            notes.add(
                    "the library embeds time with other frequencies than this network was trained with, and has no field"
                            + " for it: its samples will differ");
        }
        if (spec.classes() != 1000) {
            notes.add("the library's pipeline takes class 1000 for none, so it cannot guide a network of "
                    + spec.classes() + " classes");
        }
        return notes;
    }

    private static void requirePlain(DitSpec spec, String whose) {
        if (spec.modern() || spec.mlpRatio() != 4 || spec.height() != spec.width()) {
            throw refused(spec, whose, "GELU blocks with an MLP of four times the width, and square images");
        }
        if (!spec.scalars().parts().isEmpty()) {
            throw refused(spec, whose, "no input for " + spec.scalars().parts());
        }
        if (spec.outputs() > 1) {
            throw refused(spec, whose, "one output where this network has " + spec.outputs());
        }
    }

    private static void requireDiffusers(DitSpec spec) {
        if (!spec.hasNullClass()) {
            throw refused(spec, "the diffusers library's DiT", "a null class");
        }
    }

    private static RetortException refused(DitSpec spec, String whose, String needs) {
        return new RetortException(
                Kind.CHECKPOINT, spec.name() + " cannot be written as " + whose + ", which has " + needs);
    }
}
