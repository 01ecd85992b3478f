package dev.retort.layout;

import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The configuration beside a DiTTransformer2DModel's weights, and of the pipeline around it where there is one. */
final class DiffusersFolder {
    private static final String CLASS = "_class_name";
    private static final List<String> CLASSES = List.of("DiTTransformer2DModel", "Transformer2DModel");
    private static final int LARGEST = 1 << 20;

    private final LibraryConfig config;
    private final LibraryConfig index;
    private final Optional<PipelineScheduler> scheduler;
    private final Path vae;

    private DiffusersFolder(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        Path pipeline = folder.getParent() == null ? folder : folder.getParent();
        this.config = open(file);
        Path indexFile = pipeline.resolve("model_index.json");
        this.index = Files.isRegularFile(indexFile)
                ? LibraryConfig.read(indexFile, "fetch it again")
                : LibraryConfig.none(indexFile);
        this.scheduler = PipelineScheduler.of(pipeline, index);
        this.vae = pipeline.resolve("vae");
    }

    private static LibraryConfig open(Path file) {
        return LibraryConfig.read(file, "no other DiT is known here");
    }

    private static Path file(Path weights) {
        Path folder =
                Files.isDirectory(weights) ? weights : weights.toAbsolutePath().getParent();
        return folder.resolve("config.json");
    }

    /** The configuration of weights in this folder, or of this file's folder; null where there is none. */
    static DiffusersFolder of(Path weights) {
        Path file = file(weights);
        return Files.isRegularFile(file) ? new DiffusersFolder(file) : null;
    }

    /** Whether there is a configuration that says it is a DiT's, however damaged the rest may be. */
    static boolean claims(Path weights) {
        Path file = file(weights);
        return Files.isRegularFile(file) && CLASSES.contains(open(file).text(CLASS, ""));
    }

    /** The autoencoder of the same pipeline; null where there is none. */
    AutoencoderFiles autoencoder() {
        return Files.isRegularFile(vae.resolve("config.json")) ? AutoencoderFiles.find(vae) : null;
    }

    /** The network; what the file leaves out has the library's defaults. */
    DitSpec spec() {
        String kind = config.text(CLASS, "");
        if (!CLASSES.contains(kind)) {
            throw config.refused(CLASS, kind, CLASSES.get(0));
        }
        config.require("norm_type", config.text("norm_type", "ada_norm_zero"), "ada_norm_zero");
        config.require("activation_fn", config.text("activation_fn", "gelu-approximate"), "gelu-approximate");
        int channels = number("in_channels", 4);
        int outputs = number("out_channels", channels);
        if (outputs != channels && outputs != 2 * channels) {
            throw config.refused("out_channels", outputs, channels + " or " + 2 * channels);
        }
        int heads = number("num_attention_heads", 16);
        int side = number("sample_size", 32);
        try {
            return new DitSpec(
                            side,
                            side,
                            channels,
                            number("patch_size", 2),
                            heads * number("attention_head_dim", 72),
                            number("num_layers", 28),
                            heads,
                            4,
                            number("num_embeds_ada_norm", 1000),
                            0.1,
                            outputs == 2 * channels,
                            false)
                    .with(new DitConvention(1, config.number("norm_eps", 1e-5)));
        } catch (IllegalArgumentException e) {
            throw config.refused(e);
        }
    }

    private int number(String field, int otherwise) {
        int value = config.whole(field, otherwise);
        if (value < 1 || value > LARGEST) {
            throw config.refused(field, "a whole number above 0");
        }
        return value;
    }

    /** What the pipeline's scheduler says of the process, else {@code otherwise}. */
    ProcessSpec process(ProcessSpec otherwise) {
        return scheduler.map(PipelineScheduler::process).orElse(otherwise);
    }

    /** What it says of sampling, else {@code otherwise}. */
    SamplingSpec sampling(SamplingSpec otherwise) {
        return scheduler.map(PipelineScheduler::sampling).orElse(otherwise);
    }

    /** In what we draw otherwise than the library, a sentence each. */
    List<String> notes() {
        List<String> notes =
                new ArrayList<>(scheduler.map(PipelineScheduler::notes).orElse(Collections.emptyList()));
        double clamp = scheduler.map(s -> s.process().clamp()).orElse(0.0);
        if (clamp > 0 && Files.isDirectory(vae)) {
            notes.add("its scheduler cuts the predicted sample to ±" + clamp
                    + " (clip_sample), though latents usually exceed that");
        }
        return notes;
    }

    /** The names of the classes in the order of their numbers; empty where the pipeline has none. */
    List<String> classes() {
        return index.numbered("id2label");
    }
}
