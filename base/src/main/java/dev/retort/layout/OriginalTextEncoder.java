package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.text.ClipTokenizer;
import dev.retort.tokenizer.PublishedTokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where a model's file in the original (LDM) layout keeps its text encoders. */
enum OriginalTextEncoder {
    /** Stable Diffusion 1.x. */
    SD_1("cond_stage_model.transformer.", ClipTextLayout.TRANSFORMERS),
    /** Stable Diffusion 2.x, whose last block and projection nothing reads. */
    SD_2("cond_stage_model.model.", ClipTextLayout.OPEN_CLIP),
    /** The first of SDXL. */
    SDXL_FIRST("conditioner.embedders.0.transformer.", ClipTextLayout.TRANSFORMERS),
    /** The second of SDXL. */
    SDXL_SECOND("conditioner.embedders.1.model.", ClipTextLayout.OPEN_CLIP),
    /** The only one of SDXL's refiner. */
    SDXL_REFINER("conditioner.embedders.0.model.", ClipTextLayout.OPEN_CLIP);

    /** Of every published encoder; such files do not say how many heads there are. */
    private static final int HEAD_WIDTH = 64;

    private final String prefix;
    private final ClipTextLayout layout;

    OriginalTextEncoder(String prefix, ClipTextLayout layout) {
        this.prefix = prefix;
        this.layout = layout;
    }

    /** Those that a file holds, in the order of its pipeline; none where it is no such file. */
    static List<OriginalTextEncoder> in(TensorFile file) {
        return Arrays.stream(values())
                .filter(place -> file.entries().containsKey(place.key(ClipTextLayout.TOKENS)))
                .toList();
    }

    /** Where encoders of these shapes belong, in their order. */
    static List<OriginalTextEncoder> of(List<ClipTextSpec> specs) {
        if (specs.size() == 2) {
            return List.of(SDXL_FIRST, SDXL_SECOND);
        }
        ClipTextSpec only = specs.get(0);
        if (only.projection() > 0) {
            return List.of(SDXL_REFINER);
        }
        return List.of(only.activation() == Activation.GELU ? SD_2 : SD_1);
    }

    /** What stands before every name. */
    String prefix() {
        return prefix;
    }

    ClipTextLayout layout() {
        return layout;
    }

    /** The tokenizer that belongs to it; OpenCLIP fills texts with id 0. */
    ClipTokenizer tokenizer(ClipTextSpec spec) {
        return PublishedTokenizer.of(spec.length(), layout == ClipTextLayout.OPEN_CLIP);
    }

    private String key(String parameter) {
        return prefix + layout.key(parameter);
    }

    /** The shape, told by those of the tensors. */
    ClipTextSpec spec(TensorFile file) {
        long[] tokens = file.entry(key(ClipTextLayout.TOKENS)).shape();
        int width = (int) tokens[1];
        String mlp = ClipTextLayout.MODEL + "encoder.layers.%d.mlp.fc1.weight";
        int layers = 0;
        while (file.entries().containsKey(key(mlp.replace("%d", String.valueOf(layers))))) {
            layers++;
        }
        boolean openClip = layout == ClipTextLayout.OPEN_CLIP;
        TensorEntry projection = file.entries().get(key(ClipTextLayout.PROJECTION));
        ClipTextSpec spec = new ClipTextSpec(
                (int) tokens[0],
                (int) file.entry(key(ClipTextLayout.POSITIONS)).shape()[0],
                width,
                (int) file.entry(key(mlp.replace("%d", "0"))).shape()[0],
                layers,
                Math.max(1, width / HEAD_WIDTH),
                openClip ? Activation.GELU : Activation.QUICK_GELU,
                1e-5,
                openClip && this != SD_2 && projection != null
                        ? (int) projection.shape()[1]
                        : 0,
                0,
                true,
                ClipTextSpec.LARGEST_ID);
        return switch (this) {
            case SD_1 -> spec;
            // a whole encoder has a projection; where that was left out, so was the block that nothing reads
            case SD_2 -> projection == null ? spec : spec.handing(1, true).withoutUnused();
            default -> spec.handing(1, false);
        };
    }

    /** The tensors of an encoder of that shape under our names; what does not fit is an error that lists it. */
    TensorFile parameters(TensorFile file, ClipTextSpec spec) {
        Map<String, TensorEntry> own = new LinkedHashMap<>(file.entries());
        own.keySet().removeIf(name -> !name.startsWith(prefix));
        List<String> unread = List.of(
                prefix + "text_model.embeddings.position_ids",
                prefix + "text_projection*",
                prefix + "logit_scale",
                prefix + "attn_mask",
                prefix + "transformer.resblocks." + spec.layers() + ".*");
        Fit.of(layout.shapes(spec, prefix), own).allowing(unread).require(file.path());
        return layout.parameters(file, spec, prefix);
    }
}
