package dev.retort.layout;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.AutoencoderSpec;
import dev.retort.card.TinySpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FileHash;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An autoencoder on disk: a diffusers folder ({@code config.json} and weights in any format), a pipeline with such a folder
 * {@code vae}, or the pair of files in which the tiny ones are published, {@code NAME_encoder.pth} and
 * {@code NAME_decoder.pth} or the same as safetensors; or one file in the original (LDM) layout, which holds it alone or in a whole
 * model.
 */
public final class AutoencoderFiles {
    private static final String CONFIG = "config.json";

    private final Path place;
    private final AutoencoderSpec spec;
    /** Null unless it lies in two files. */
    private final TinyPair pair;
    /** Null unless it lies in a file of the original layout. */
    private final OriginalAutoencoder original;

    private AutoencoderFiles(Path place, AutoencoderSpec spec, TinyPair pair, OriginalAutoencoder original) {
        this.place = place;
        this.spec = spec;
        this.pair = pair;
        this.original = original;
    }

    /**
     * Finds an autoencoder; only headers are read. Files in the original layout do not say how latents are scaled: as by Stable
     * Diffusion XL where the model around it is one, or the name of a file without a model has {@code xl} in it, else as by
     * Stable Diffusion.
     *
     * @param path a diffusers folder, a pipeline folder, one file of a pair, a pair's common {@code FOLDER/NAME}, a folder that
     *     holds one pair, or a file in the original layout
     */
    public static AutoencoderFiles find(Path path) {
        Optional<Path> folder = folder(path);
        if (folder.isPresent()) {
            AutoencoderSpec spec = AutoencoderConfig.read(folder.get().resolve(CONFIG));
            AutoencoderFiles found = new AutoencoderFiles(folder.get(), spec, null, null);
            found.open().close(); // weights that are missing or damaged are told here, as a pair's are
            return found;
        }
        Optional<Path> stem = TinyPair.stem(path);
        if (stem.isPresent()) {
            return pair(TinyPair.of(stem.get()));
        }
        Optional<AutoencoderFiles> original = Files.isRegularFile(path) ? inFile(path) : Optional.empty();
        if (original.isPresent()) {
            return original.get();
        }
        List<Path> pairs = pairs(path);
        if (pairs.size() == 1) {
            return pair(TinyPair.of(pairs.get(0)));
        }
        throw new RetortException(
                Kind.CHECKPOINT,
                pairs.isEmpty()
                        ? path
                                + " is not an autoencoder: expected a folder with config.json, NAME_encoder.safetensors"
                                + " and NAME_decoder.safetensors (or .pth), or a file in the original layout;"
                                + " check the path"
                        : path + " holds several autoencoders; choose one of "
                                + String.join(
                                        ", ", pairs.stream().map(Path::toString).toList()));
    }

    /** The one in a file of the original layout, alone or in a whole model; empty where it holds none. */
    static Optional<AutoencoderFiles> inFile(Path path) {
        return OriginalAutoencoder.in(path).map(found -> new AutoencoderFiles(path, found.spec(), null, found));
    }

    private static AutoencoderFiles pair(TinyPair pair) {
        return new AutoencoderFiles(pair.stem(), pair.spec(), pair, null);
    }

    /**
     * Whether what lies here says that it is an autoencoder: by its configuration, which may be of a kind that is not built
     * here, as a whole pair, or as a file in the original layout without a model around it. Other models have files of similar names.
     */
    public static boolean mayBe(Path path) {
        Optional<Path> folder = folder(path);
        if (folder.isPresent()) {
            return AutoencoderConfig.isOne(folder.get().resolve(CONFIG));
        }
        Optional<Path> stem = TinyPair.stem(path);
        return Stream.concat(stem.stream(), pairs(path).stream()).anyMatch(TinyPair::isWhole)
                || Files.isRegularFile(path) && OriginalAutoencoder.isAlone(path);
    }

    /** Whether anything lies at the place that a card records: a folder, or a pair's common beginning. */
    public static boolean exists(Path place) {
        return Files.exists(place) || TinyPair.stem(place).isPresent();
    }

    private static Optional<Path> folder(Path path) {
        return Stream.of(path, path.resolve("vae"))
                .filter(folder -> Files.isRegularFile(folder.resolve(CONFIG)))
                .findFirst();
    }

    private static List<Path> pairs(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.flatMap(file -> TinyPair.stemOfHalf(file).stream())
                    .distinct()
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, folder + " cannot be read (" + AtomicWrite.reason(e) + "); check its rights", e);
        }
    }

    /** Opens its weights, under the names they have in a folder's file; those of others under the library's. */
    public TensorFile open() {
        if (original != null) {
            return original.open();
        }
        return pair == null ? TensorFiles.open(place) : pair.open();
    }

    /**
     * An AutoencoderKL as a file in the original layout has it: its tensors under the keys of the file of a whole model.
     *
     * @param weights what {@link #open} gave, which must stay open
     * @param generation of the model, by which readers of the file take the scale of the latents
     * @throws RetortException of kind CHECKPOINT where such a file cannot hold it: it is of another kind, or has other norms or
     *     another scale
     */
    public TensorFile original(TensorFile weights, StableDiffusion generation) {
        return OriginalAutoencoder.keys(weights, spec, generation);
    }

    /** What lies there. */
    public AutoencoderSpec spec() {
        return spec;
    }

    /** What caches and model cards record of it; reads the files to hash them. */
    public AutoencoderCard card() {
        String hash;
        try (TensorFile file = open()) {
            // the file of a whole model may be many times as large, and changes with its denoiser
            hash = original == null ? FileHash.sha256(file.files()) : FileHash.sha256(file);
        }
        return new AutoencoderCard(
                spec.kind(),
                place.toAbsolutePath().normalize().toString(),
                hash,
                spec.imageChannels(),
                spec.latentChannels(),
                spec.downscale(),
                spec.scale());
    }

    /**
     * Writes it as the folder {@code vae} of a pipeline of the diffusers library: {@code config.json} and weights.
     *
     * @throws RetortException of kind CHECKPOINT where the library has no such autoencoder
     */
    void write(Path folder, Storage how) throws IOException {
        if (spec instanceof TinySpec tiny && tiny.pooled()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    place + " cannot be written for the diffusers library, whose AutoencoderTiny has no pooled branch");
        }
        try (TensorFile file = open()) {
            List<WeightLayout.Part> parts = new ArrayList<>();
            file.entries()
                    .forEach(
                            (name, entry) -> parts.add(new WeightLayout.Part(parameter(name), name, 0, entry.shape())));
            LibraryExport.write(folder.resolve(CONFIG), AutoencoderConfig.json(spec));
            LibraryExport.weights(parts, file, how).writeShards(folder, LibraryExport.WEIGHTS, how.mostBytes());
        }
    }

    /** The parameter that a tensor of such a file is: old names of attention become new ones. */
    public static String parameter(String name) {
        return name.replaceFirst("(attentions\\.\\d+)\\.query\\.", "$1.to_q.")
                .replaceFirst("(attentions\\.\\d+)\\.key\\.", "$1.to_k.")
                .replaceFirst("(attentions\\.\\d+)\\.value\\.", "$1.to_v.")
                .replaceFirst("(attentions\\.\\d+)\\.proj_attn\\.", "$1.to_out.0.");
    }
}
