package dev.retort.layout;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.io.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes a U-Net, or it and what a pipeline has beside it, as the diffusers library expects them: exactly its keys, shapes and types. */
final class UNetExport {
    private static final String SHARDS = "(-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?";
    private static final OwnFiles PIPELINE = new OwnFiles(
            "a pipeline",
            "model_index.json",
            Pattern.compile(
                    "model_index\\.json|scheduler/scheduler_config\\.json|(unet|vae)/(config\\.json|"
                            + LibraryExport.WEIGHTS + SHARDS + ")|text_encoder(_2)?/(config\\.json|model" + SHARDS
                            + ")|tokenizer(_2)?/(vocab|tokenizer_config|special_tokens_map)\\.json|tokenizer(_2)?/merges\\.txt"));
    private static final OwnFiles UNET =
            new OwnFiles("a U-Net", "config.json", Pattern.compile("config\\.json|" + LibraryExport.WEIGHTS + SHARDS));

    private UNetExport() {}

    /** Refuses a folder that {@link #unet} or {@link #pipeline} would not replace: one that holds more than they write. */
    static void requireReplaceable(Path folder, boolean pipeline) {
        (pipeline ? PIPELINE : UNET).requireReplaceable(folder);
    }

    /** Writes the folder of a U-Net by itself. */
    static List<String> unet(Path folder, ModelCard card, TensorFile parameters, Storage how) {
        UNetSpec spec = (UNetSpec) card.network();
        ObjectNode config = config(spec);
        ConvertedWeights.requireFinite(parameters, how.dtype());
        AtomicWrite.folder(folder, UNET, inside -> unet(inside, spec, config, parameters, how));
        return List.of();
    }

    private static void unet(Path folder, UNetSpec spec, ObjectNode config, TensorFile parameters, Storage how)
            throws IOException {
        LibraryExport.write(folder.resolve("config.json"), config);
        LibraryExport.weights(UNetFileLayout.DIFFUSERS.parts(spec), parameters, how)
                .writeShards(folder, LibraryExport.WEIGHTS, how.mostBytes());
    }

    /**
     * Writes a pipeline folder: U-Net, text encoders, tokenizers, scheduler, and the autoencoder where the card names one.
     *
     * @return in what the library will compute otherwise than we do, a sentence each
     */
    static List<String> pipeline(Path folder, ModelCard card, TensorFile parameters, Storage how) {
        TextToImageSpec spec = (TextToImageSpec) card.network();
        ObjectNode config = config(spec.unet());
        ConvertedWeights.requireFinite(parameters, how.dtype());
        List<String> notes = new ArrayList<>();
        if (spec.zeroNone() && spec.unet().told().pooled().isEmpty()) {
            notes.add("the library's pipeline tells the empty text where this model is told zeros");
        }
        AtomicWrite.folder(folder, PIPELINE, inside -> {
            unet(inside.resolve("unet"), spec.unet(), config, part(parameters, "unet"), how);
            for (int i = 0; i < spec.encoders().size(); i++) {
                notes.addAll(TextEncoderFiles.write(
                        inside.resolve(folder(spec, i)),
                        spec.encoders().get(i),
                        part(parameters, TextToImageSpec.encoder(i)),
                        how));
            }
            card.text().write(inside);
            if (isRefiner(spec)) {
                Files.move(inside.resolve("tokenizer"), inside.resolve(tokenizer(spec, 0)));
            }
            LibraryExport.write(inside.resolve("model_index.json"), index(inside, card, spec, notes, how));
        });
        return notes;
    }

    /** Writes a U-Net by itself as a file in the original layout. */
    static List<String> unetFile(Path file, ModelCard card, TensorFile parameters, Storage how) {
        UNetSpec spec = (UNetSpec) card.network();
        OriginalUNet.require(spec);
        single(file, card, List.of(OriginalUNet.keys(parameters, spec)), parameters, how);
        return List.of();
    }

    /**
     * Writes U-Net, text encoders and, where the card names one, the autoencoder as a file in the original layout.
     *
     * @return what such a file does not keep, a sentence each
     */
    static List<String> pipelineFile(Path file, ModelCard card, TensorFile parameters, Storage how) {
        TextToImageSpec spec = (TextToImageSpec) card.network();
        OriginalUNet.require(spec.unet());
        List<TensorFile> encoders = new ArrayList<>();
        for (int i = 0; i < spec.encoders().size(); i++) {
            encoders.add(part(parameters, TextToImageSpec.encoder(i)));
        }
        List<TensorFile> keyed = new ArrayList<>();
        keyed.add(OriginalUNet.keys(part(parameters, "unet"), spec.unet()));
        keyed.addAll(TextEncoderFiles.original(spec.encoders(), encoders));
        List<String> notes = new ArrayList<>();
        if (!card.text().tokenizers().equals(TextEncoderFiles.originalTokenizers(spec.encoders()))) {
            notes.add(
                    "such a file has no tokenizer, and every program takes CLIP's published ones, whose ids of a text are not"
                            + " those of this model's");
        }
        if (card.autoencoder() == null) {
            notes.add("the file has no autoencoder: the network draws pixels");
            single(file, card, keyed, parameters, how);
            return notes;
        }
        AutoencoderFiles autoencoder =
                AutoencoderFiles.find(Path.of(card.autoencoder().path()));
        try (TensorFile stored = autoencoder.open()) {
            keyed.add(autoencoder.original(stored, StableDiffusion.of(spec.unet())));
            single(file, card, keyed, parameters, how);
        }
        return notes;
    }

    private static void single(Path file, ModelCard card, List<TensorFile> keyed, TensorFile parameters, Storage how) {
        ConvertedWeights.requireFinite(parameters, how.dtype());
        SingleFileFacts facts =
                SingleFileFacts.of(card.process(), card.network().shape());
        ConvertedWeights.write(file, keyed, how.dtype(), facts.header(), facts.markers());
    }

    /** The tensors of one network among those of several. */
    static TensorFile part(TensorFile parameters, String name) {
        String prefix = name + ".";
        List<WeightLayout.Part> parts = new ArrayList<>();
        parameters.entries().forEach((whole, entry) -> {
            if (whole.startsWith(prefix)) {
                parts.add(new WeightLayout.Part(whole.substring(prefix.length()), whole, 0, entry.shape()));
            }
        });
        return new RowsView(parameters, parts, parameters);
    }

    /** SDXL's refiner has the second encoder alone. */
    private static boolean isRefiner(TextToImageSpec spec) {
        return spec.encoders().size() == 1 && spec.unet().told().pooled().isPresent();
    }

    private static String folder(TextToImageSpec spec, int encoder) {
        return TextToImageSpec.encoder(isRefiner(spec) ? encoder + 1 : encoder);
    }

    private static String tokenizer(TextToImageSpec spec, int encoder) {
        return folder(spec, encoder).replace("text_encoder", "tokenizer");
    }

    private static ObjectNode index(Path inside, ModelCard card, TextToImageSpec spec, List<String> notes, Storage how)
            throws IOException {
        boolean xl = spec.unet().told().pooled().isPresent();
        ObjectNode index = LibraryExport.config(
                !xl
                        ? "StableDiffusionPipeline"
                        : isRefiner(spec) ? "StableDiffusionXLImg2ImgPipeline" : "StableDiffusionXLPipeline");
        LibraryExport.noPart(index, "feature_extractor");
        if (xl) {
            index.put("force_zeros_for_empty_prompt", spec.zeroNone());
        }
        LibraryExport.noPart(index, "image_encoder");
        if (!xl) {
            index.put("requires_safety_checker", false);
            LibraryExport.noPart(index, "safety_checker");
        }
        notes.addAll(LibraryExport.scheduler(inside, index, card));
        for (int i = 0; i < spec.encoders().size(); i++) {
            ClipTextSpec encoder = spec.encoders().get(i);
            LibraryExport.part(
                    index,
                    folder(spec, i),
                    "transformers",
                    encoder.projection() > 0 ? "CLIPTextModelWithProjection" : "CLIPTextModel");
            LibraryExport.part(index, tokenizer(spec, i), "transformers", "CLIPTokenizer");
        }
        LibraryExport.part(index, "unet", "diffusers", UNetConfig.CLASS);
        autoencoder(inside, card.autoencoder(), index, notes, how);
        return index;
    }

    private static void autoencoder(
            Path inside, AutoencoderCard card, ObjectNode index, List<String> notes, Storage how) throws IOException {
        if (card == null) {
            LibraryExport.noPart(index, "vae");
            notes.add(
                    "the library's pipeline draws latents, and this network pixels: it opens the parts, not the pipeline");
            return;
        }
        AutoencoderFiles.find(Path.of(card.path())).write(inside.resolve("vae"), how);
        LibraryExport.part(index, "vae", "diffusers", card.kind());
    }

    /** Keys and defaults as the library itself saves them, sorted. */
    static ObjectNode config(UNetSpec spec) {
        if (spec.outputs() > 1) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    spec.name() + " cannot be written as " + UNetConfig.CLASS
                            + ", which has one output where this network has " + spec.outputs());
        }
        List<Level> levels = spec.levels();
        ObjectNode config = LibraryExport.config(UNetConfig.CLASS);
        config.put("act_fn", "silu");
        pooled(config, spec);
        config.set("attention_head_dim", oneOrEach(levels, Level::heads));
        config.set("block_out_channels", each(levels, Level::channels));
        config.put("center_input_sample", false);
        config.put(
                "cross_attention_dim",
                spec.told().text().map(UNetSpec.Text::width).orElse(1280));
        config.set(
                "down_block_types",
                each(levels, level -> level.down().get(0) > 0 ? UNetConfig.CROSS_DOWN : UNetConfig.DOWN));
        config.put("downsample_padding", 1);
        config.put("flip_sin_to_cos", spec.convention().cosinesFirst());
        config.put("freq_shift", spec.convention().frequencyShift());
        config.put("in_channels", spec.channels());
        config.set("layers_per_block", oneOrEach(levels, level -> level.down().size()));
        config.put("mid_block_scale_factor", 1);
        String middle = spec.middle()
                .map(Middle::layers)
                .map(layers -> layers > 0 ? UNetConfig.CROSS_MIDDLE : UNetConfig.MIDDLE)
                .orElse(null);
        config.put("mid_block_type", middle);
        config.put("norm_eps", spec.convention().normEps());
        config.put("norm_num_groups", spec.convention().normGroups());
        config.put("out_channels", spec.grid().outChannels());
        transformers(config, spec);
        boolean square = spec.height() == spec.width();
        config.set("sample_size", LibraryExport.value(square ? spec.height() : List.of(spec.height(), spec.width())));
        int guidance = spec.told().guidanceWidth();
        config.set("time_cond_proj_dim", LibraryExport.value(guidance == 0 ? null : guidance));
        List<Level> up = new ArrayList<>(levels);
        Collections.reverse(up);
        config.set("up_block_types", each(up, level -> level.up().get(0) > 0 ? UNetConfig.CROSS_UP : UNetConfig.UP));
        config.put("upcast_attention", spec.convention().upcastAttention());
        config.put("use_linear_projection", spec.convention().linearProjections());
        return config;
    }

    private static void pooled(ObjectNode config, UNetSpec spec) {
        Optional<Pooled> pooled = spec.told().pooled();
        config.put("addition_embed_type", pooled.isPresent() ? "text_time" : null);
        config.set(
                "addition_time_embed_dim",
                LibraryExport.value(pooled.map(Pooled::idWidth).orElse(null)));
        config.set(
                "projection_class_embeddings_input_dim",
                LibraryExport.value(pooled.map(Pooled::values).orElse(null)));
    }

    /** One number where all levels have the same, since older loaders know no list. */
    private static JsonNode oneOrEach(List<Level> levels, Function<Level, Integer> value) {
        return LibraryExport.value(oneOrEach(levels.stream().map(value).toList()));
    }

    private static JsonNode each(List<Level> levels, Function<Level, Object> value) {
        return LibraryExport.value(levels.stream().map(value).toList());
    }

    /**
     * Layers of transformers: one number for each level serves both ways and, of the smallest level, the middle; where a level's blocks
     * differ, it is a list, and the way up has a list of its own.
     */
    private static void transformers(ObjectNode config, UNetSpec spec) {
        int last = spec.levels().size() - 1;
        int between = spec.middle().map(Middle::layers).orElse(0);
        List<Object> down = new ArrayList<>();
        List<Object> up = new ArrayList<>();
        for (int i = 0; i <= last; i++) {
            Level level = spec.levels().get(i);
            Object above = level.up().get(0) > 0 ? oneOrEach(level.up()) : null;
            Object below = level.down().get(0) > 0
                    ? oneOrEach(level.down())
                    : i == last && between > 0 ? between : above instanceof Integer ? above : 1;
            down.add(below);
            up.add(0, above == null ? below instanceof Integer ? below : 1 : above);
        }
        int smallest = spec.levels().get(last).down().get(0);
        if (between > 0 && smallest > 0 && smallest != between) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    spec.name() + " cannot be written as " + UNetConfig.CLASS
                            + ", whose middle has as many transformer layers"
                            + " as the first block of the smallest level: it has " + between + " and " + smallest);
        }
        List<Object> back = new ArrayList<>(up);
        Collections.reverse(back);
        boolean alike = down.equals(back) && down.stream().allMatch(Integer.class::isInstance);
        config.set("reverse_transformer_layers_per_block", LibraryExport.value(alike ? null : up));
        boolean one = alike && down.stream().distinct().count() == 1;
        config.set("transformer_layers_per_block", LibraryExport.value(one ? down.get(0) : down));
    }

    private static Object oneOrEach(List<Integer> numbers) {
        return numbers.stream().distinct().count() == 1 ? numbers.get(0) : numbers;
    }
}
