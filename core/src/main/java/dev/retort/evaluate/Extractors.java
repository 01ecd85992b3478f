package dev.retort.evaluate;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ModelFolder;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.classifier.ClassifierFolder;
import dev.retort.model.classifier.ResNet20;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Finds extractors: those that come with Retort by name, others by the path of their weights. */
public final class Extractors {
    /** The names that {@link #named} knows. */
    public static final List<String> NAMES = List.of("fashion", "shapes", "r20cifar");

    private static final String PIXELS = "pixels";
    private static final int PIXEL_COMPONENTS = 64;
    private static final String RESNET_20 = "resnet20-12fca82f.safetensors";

    private Extractors() {}

    /**
     * Opens an extractor.
     *
     * @param nameOrPath {@code fashion} or {@code shapes} (our classifiers in {@code zoo/}), {@code r20cifar} (the published ResNet-20 where its
     *     weights are at hand), a folder written by {@code retort train-classifier}, or a safetensors file of ResNet-20
     * @throws RetortException of kind USAGE for a name that is none, CHECKPOINT for weights that do not fit
     */
    public static ClassifierExtractor named(String nameOrPath) {
        Path path =
                switch (nameOrPath) {
                    case "fashion", "shapes" -> found(nameOrPath, "zoo/" + nameOrPath + "-classifier");
                    case "r20cifar" -> found(nameOrPath, "shared/weights/resnet-cifar10/" + RESNET_20);
                    default -> Path.of(nameOrPath);
                };
        if (Files.isDirectory(path)) {
            return folder(path);
        }
        if (Files.isRegularFile(path)) {
            return resNet20(path);
        }
        throw new RetortException(
                Kind.USAGE,
                "--extractor " + nameOrPath + " is no known name and no file; choose " + String.join(", ", NAMES)
                        + ", or the folder of a classifier ('retort train-classifier')");
    }

    /**
     * Opens an extractor for a data set: {@code pixels} is fitted to its training images, {@code auto} chooses the extractor
     * that was trained on such images, else {@code pixels}; anything else as {@link #named}.
     */
    public static FeatureExtractor open(String choice, ImageSet train) {
        String chosen = choice.equals("auto") ? suitable(train) : choice;
        if (chosen.equals(PIXELS)) {
            int components = Math.min(PIXEL_COMPONENTS, Math.min(train.pixels().imageSize(), train.size() - 1));
            return PixelPca.fit(train.pixels(), components);
        }
        return named(chosen);
    }

    private static String suitable(ImageSet train) {
        PixelBatch pixels = train.pixels();
        if (pixels.channels() == 1 && pixels.height() == 28 && train.name().contains("fashion")) {
            return "fashion";
        }
        if (pixels.height() == 16 && train.name().equals("shapes")) {
            return "shapes";
        }
        if (pixels.channels() == 3 && pixels.height() == 32 && train.name().contains("cifar")) {
            return "r20cifar";
        }
        return PIXELS;
    }

    private static ClassifierExtractor folder(Path folder) {
        ClassifierFolder.Loaded loaded = ClassifierFolder.load(folder, Device.CPU);
        return of(loaded.network(), loaded.card().name(), folder.resolve(ModelFolder.WEIGHTS));
    }

    private static ClassifierExtractor resNet20(Path file) {
        Classifier network;
        try (Scope scope = Scope.open()) {
            network = new ResNet20(Init.of(0, Device.CPU));
        }
        try {
            ModelFolder.fill(network, file, Device.CPU);
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
        network.freeze();
        return of(network, "R20cifar", file);
    }

    private static ClassifierExtractor of(Classifier network, String name, Path weights) {
        FeatureSpace space = new FeatureSpace(
                name, sha256(weights), network.preprocessing(), network.shape().featureSize());
        return new ClassifierExtractor(network, space);
    }

    /** Looks beside the current folder and above it, then beside the program and above that. */
    private static Path found(String name, String below) {
        List<Path> starts = List.of(Path.of("").toAbsolutePath(), program());
        for (Path start : starts) {
            for (Path at = start; at != null; at = at.getParent()) {
                Path candidate = at.resolve(below);
                if (Files.exists(candidate)) {
                    return candidate;
                }
            }
        }
        throw new RetortException(
                Kind.USAGE,
                "the weights of the extractor '" + name + "' (" + below
                        + ") lie neither beside this folder nor beside the program; give their path as --extractor");
    }

    private static Path program() {
        try {
            return Path.of(Extractors.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toAbsolutePath();
        } catch (java.net.URISyntaxException | RuntimeException e) {
            return Path.of("").toAbsolutePath();
        }
    }

    private static String sha256(Path file) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return HexFormat.of().formatHex(digest);
        } catch (IOException e) {
            throw new RetortException(Kind.CHECKPOINT, file + " cannot be read (" + e.getMessage() + ")", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has SHA-256
        }
    }
}
