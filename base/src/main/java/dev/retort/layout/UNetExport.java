package dev.retort.layout;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSpec;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.io.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
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
        ObjectNode config = UNetConfigWriter.config(spec);
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
        ObjectNode config = UNetConfigWriter.config(spec.unet());
        ConvertedWeights.requireFinite(parameters, how.dtype());
        List<String> notes = new ArrayList<>();
        if (spec.zeroNone() && spec.unet().told().pooled().isEmpty()) {
            notes.add("the library's pipeline tells the empty text where this model is told zeros");
        }
        AtomicWrite.folder(folder, PIPELINE, inside -> {
            unet(
                    inside.resolve(TextToImageSpec.UNET),
                    spec.unet(),
                    config,
                    part(parameters, TextToImageSpec.UNET),
                    how);
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
        keyed.add(OriginalUNet.keys(part(parameters, TextToImageSpec.UNET), spec.unet()));
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
        LibraryExport.part(index, TextToImageSpec.UNET, "diffusers", UNetConfig.CLASS);
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
}
