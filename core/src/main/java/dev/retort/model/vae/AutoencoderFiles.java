package dev.retort.model.vae;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileHash;
import dev.retort.io.SafetensorsFile;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * An autoencoder on disk: a diffusers folder ({@code config.json}, {@code diffusion_pytorch_model.safetensors}), a pipeline
 * with such a folder {@code vae}, or the pair of files in which the tiny ones are published, {@code NAME_encoder.safetensors}
 * and {@code NAME_decoder.safetensors}.
 */
public final class AutoencoderFiles {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String ENCODER = "_encoder.safetensors";
    private static final String DECODER = "_decoder.safetensors";

    private final Path place;
    private final AutoencoderSpec spec;
    private final List<Path> weights;

    private AutoencoderFiles(Path place, AutoencoderSpec spec, List<Path> weights) {
        this.place = place;
        this.spec = spec;
        this.weights = weights;
    }

    /**
     * Finds an autoencoder; only headers are read.
     *
     * @param path a diffusers folder, a pipeline folder, one file of a pair, a pair's common {@code FOLDER/NAME}, or a folder
     *     that holds one pair
     */
    public static AutoencoderFiles find(Path path) {
        if (Files.isRegularFile(path.resolve(CONFIG))) {
            return folder(path);
        }
        if (Files.isRegularFile(path.resolve("vae").resolve(CONFIG))) {
            return folder(path.resolve("vae"));
        }
        String name = path.toString();
        for (String end : List.of(ENCODER, DECODER)) {
            if (name.endsWith(end)) {
                return pair(name.substring(0, name.length() - end.length()));
            }
        }
        if (Files.exists(Path.of(name + ENCODER)) || Files.exists(Path.of(name + DECODER))) {
            return pair(name);
        }
        List<String> pairs = pairs(path);
        if (pairs.size() == 1) {
            return pair(pairs.get(0));
        }
        throw new RetortException(
                Kind.CHECKPOINT,
                pairs.isEmpty()
                        ? path + " is no autoencoder: expected a folder with config.json, or NAME" + ENCODER
                                + " and NAME" + DECODER + "; check the path"
                        : path + " holds several autoencoders; choose one of " + String.join(", ", pairs));
    }

    private static List<String> pairs(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(Path::toString)
                    .filter(file -> file.endsWith(ENCODER))
                    .map(file -> file.substring(0, file.length() - ENCODER.length()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, folder + " cannot be read (" + e.getMessage() + "); check its rights", e);
        }
    }

    private static AutoencoderFiles folder(Path folder) {
        Path file = folder.resolve(WEIGHTS);
        if (!Files.isRegularFile(file)) {
            throw new RetortException(
                    Kind.CHECKPOINT, folder + " has no " + WEIGHTS + "; fetch the weights in the safetensors format");
        }
        return new AutoencoderFiles(folder, AutoencoderConfig.read(folder.resolve(CONFIG)), List.of(file));
    }

    private static AutoencoderFiles pair(String name) {
        List<Path> files = List.of(Path.of(name + ENCODER), Path.of(name + DECODER));
        for (Path file : files) {
            if (!Files.isRegularFile(file)) {
                throw new RetortException(
                        Kind.CHECKPOINT, file + " is not there; an encoder and its decoder must lie together");
            }
        }
        try (SafetensorsFile encoder = SafetensorsFile.open(files.get(0))) {
            var last = encoder.entries().get("14.bias");
            if (last == null) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        files.get(0) + " is no encoder of the tiny autoencoders: it has no tensor 14.bias;"
                                + " give a folder with config.json instead");
            }
            boolean pooled = encoder.entries().keySet().stream().anyMatch(key -> key.contains(".pool."));
            return new AutoencoderFiles(
                    Path.of(name), TinySpec.published(Math.toIntExact(last.shape()[0]), pooled), files);
        }
    }

    /** What lies there. */
    public AutoencoderSpec spec() {
        return spec;
    }

    /** What caches and model cards record of it; reads the files to hash them. */
    public AutoencoderCard card() {
        return new AutoencoderCard(
                spec.kind(),
                place.toAbsolutePath().normalize().toString(),
                FileHash.sha256(weights),
                spec.imageChannels(),
                spec.latentChannels(),
                spec.downscale(),
                spec.scale());
    }

    /** Loads it: weights in fp32, frozen. */
    public Autoencoder load(Device device) {
        Autoencoder autoencoder;
        try (Scope scope = Scope.open()) {
            autoencoder = spec.build(Init.blank(device));
            Map<String, Tensor> values = new LinkedHashMap<>();
            for (Path file : weights) {
                ModelFolder.read(file, device).forEach((name, tensor) -> values.put(rename(file, name), tensor));
            }
            List<String> problems = autoencoder.load(values);
            if (!problems.isEmpty()) {
                autoencoder.close();
                throw new RetortException(
                        Kind.CHECKPOINT,
                        weights.get(0) + " does not fit its configuration: "
                                + FirstFew.of(problems, 3)
                                + "; fetch weights and configuration of one model");
            }
        }
        autoencoder.freeze();
        return autoencoder;
    }

    /** The names that the layers have: old attention names become new ones, published pairs those of the library. */
    static String rename(Path file, String name) {
        if (file.toString().endsWith(ENCODER)) {
            return "encoder.layers." + name;
        }
        if (file.toString().endsWith(DECODER)) {
            // there the first layer is the bend of the latents, which has no tensors and no number in the library
            int dot = name.indexOf('.');
            return name.matches("[1-9]\\d{0,3}\\..*")
                    ? "decoder.layers." + (Integer.parseInt(name.substring(0, dot)) - 1) + name.substring(dot)
                    : "decoder.layers." + name;
        }
        return name.replaceFirst("(attentions\\.\\d+)\\.query\\.", "$1.to_q.")
                .replaceFirst("(attentions\\.\\d+)\\.key\\.", "$1.to_k.")
                .replaceFirst("(attentions\\.\\d+)\\.value\\.", "$1.to_v.")
                .replaceFirst("(attentions\\.\\d+)\\.proj_attn\\.", "$1.to_out.0.");
    }
}
