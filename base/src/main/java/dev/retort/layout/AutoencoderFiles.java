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
 * {@code NAME_decoder.pth} or the same as safetensors.
 */
public final class AutoencoderFiles {
    private static final String CONFIG = "config.json";

    private final Path place;
    private final AutoencoderSpec spec;
    /** Null where it lies in a folder. */
    private final TinyPair pair;

    private AutoencoderFiles(Path place, AutoencoderSpec spec, TinyPair pair) {
        this.place = place;
        this.spec = spec;
        this.pair = pair;
    }

    /**
     * Finds an autoencoder; only headers are read.
     *
     * @param path a diffusers folder, a pipeline folder, one file of a pair, a pair's common {@code FOLDER/NAME}, or a folder
     *     that holds one pair
     */
    public static AutoencoderFiles find(Path path) {
        Optional<Path> folder = folder(path);
        if (folder.isPresent()) {
            AutoencoderSpec spec = AutoencoderConfig.read(folder.get().resolve(CONFIG));
            AutoencoderFiles found = new AutoencoderFiles(folder.get(), spec, null);
            found.open().close(); // weights that are missing or damaged are told here, as a pair's are
            return found;
        }
        Optional<Path> stem = TinyPair.stem(path);
        if (stem.isPresent()) {
            return pair(TinyPair.of(stem.get()));
        }
        List<Path> pairs = pairs(path);
        if (pairs.size() == 1) {
            return pair(TinyPair.of(pairs.get(0)));
        }
        throw new RetortException(
                Kind.CHECKPOINT,
                pairs.isEmpty()
                        ? path
                                + " is not an autoencoder: expected a folder with config.json, or NAME_encoder.safetensors"
                                + " and NAME_decoder.safetensors (or .pth); check the path"
                        : path + " holds several autoencoders; choose one of "
                                + String.join(
                                        ", ", pairs.stream().map(Path::toString).toList()));
    }

    private static AutoencoderFiles pair(TinyPair pair) {
        return new AutoencoderFiles(pair.stem(), pair.spec(), pair);
    }

    /**
     * Whether what lies here says that it is an autoencoder: by its configuration, which may be of a kind that is not built
     * here, or as a whole pair. Other models have files of similar names.
     */
    public static boolean mayBe(Path path) {
        Optional<Path> folder = folder(path);
        if (folder.isPresent()) {
            return AutoencoderConfig.isOne(folder.get().resolve(CONFIG));
        }
        Optional<Path> stem = TinyPair.stem(path);
        return Stream.concat(stem.stream(), pairs(path).stream()).anyMatch(TinyPair::isWhole);
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

    /** Opens its weights, under the names they have in the file; those of a pair under the library's. */
    public TensorFile open() {
        return pair == null ? TensorFiles.open(place) : pair.open();
    }

    /** What lies there. */
    public AutoencoderSpec spec() {
        return spec;
    }

    /** What caches and model cards record of it; reads the files to hash them. */
    public AutoencoderCard card() {
        List<Path> weights;
        try (TensorFile file = open()) {
            weights = file.files();
        }
        return new AutoencoderCard(
                spec.kind(),
                place.toAbsolutePath().normalize().toString(),
                FileHash.sha256(weights),
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
