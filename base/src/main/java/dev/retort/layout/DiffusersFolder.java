package dev.retort.layout;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The configuration beside a network's weights, and the pipeline around it where there is one. */
final class DiffusersFolder {
    static final String CLASS = "_class_name";
    private static final String VERSION = "_diffusers_version";

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
        return LibraryConfig.read(file, "no other network is known here");
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

    /** Whether there is a configuration that says it is of one of these classes, however damaged the rest may be. */
    static boolean claims(Path weights, List<String> classes) {
        Path file = file(weights);
        return Files.isRegularFile(file) && classes.contains(open(file).text(CLASS, ""));
    }

    /** What the network's own file says. */
    LibraryConfig config() {
        return config;
    }

    /** Whether zeros stand for "no condition"; the library's pipelines of XL say so unless told otherwise. */
    boolean zeroNone() {
        boolean xl = index.text(CLASS, "").startsWith("StableDiffusionXL");
        return index.flag("force_zeros_for_empty_prompt", xl);
    }

    /** The version of the library that wrote the pipeline, else the network; empty where neither says. */
    String version() {
        return index.text(VERSION, config.text(VERSION, ""));
    }

    /** The autoencoder of the same pipeline; null where there is none. */
    AutoencoderFiles autoencoder() {
        return Files.isRegularFile(vae.resolve("config.json")) ? AutoencoderFiles.find(vae) : null;
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
