package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileHash;
import dev.retort.io.FileNames;
import dev.retort.layout.ModelFiles;
import dev.retort.model.classifier.Classifier;
import dev.retort.pipeline.Classifiers;
import dev.retort.torch.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds extractors: those that come with Retort by name, others by the path of their weights. */
public final class Extractors {
    /** The names that {@link #named} knows. */
    public static final List<String> NAMES = List.of("fashion", "shapes", "r20cifar");

    /** Who judges where nobody is named: the one made for the images, the neutral one, and it on the images' middles. */
    public static final List<String> USUAL = List.of("auto", "random", "patches");

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
        Path path = FileNames.path(nameOrPath);
        if (NAMES.contains(nameOrPath)) {
            String below = below(nameOrPath);
            path = found(below).orElseThrow(() -> new RetortException(
                            Kind.USAGE,
                            "the weights of the extractor '" + nameOrPath + "' (" + below
                                    + ") lie neither beside this folder nor beside the program; give their path")
                    .about("extractor"));
        }
        if (Files.isDirectory(path)) {
            return folder(path);
        }
        if (Files.isRegularFile(path)) {
            return resNet20(path);
        }
        throw new RetortException(
                        Kind.USAGE,
                        "the extractor " + nameOrPath + " is neither a known name nor a file; choose "
                                + String.join(", ", NAMES)
                                + ", pixels, random, patches, or the folder of a classifier ('retort train-classifier')")
                .about("extractor");
    }

    /**
     * Opens an extractor for real images: {@code pixels} is fitted to them, {@code random} and {@code patches} are the neutral ones
     * ({@link RandomFeatures}), {@code auto} chooses the extractor that was trained on such images where its weights are at hand, else
     * {@code pixels}; anything else as {@link #named}.
     *
     * @param reference what pictures will be judged against; those judged, real ones among them, must have no part in the
     *     fit, or their spread would look larger than it is
     */
    public static FeatureExtractor open(String choice, ImageSet reference) {
        String chosen = choice.equals("auto") ? suitable(reference) : choice;
        return switch (chosen) {
            case PIXELS -> {
                int components = Math.min(PIXEL_COMPONENTS, reference.shape().values());
                reference.requireMoreThan(components, "reference");
                yield PixelPca.fit(reference, components);
            }
            case "random" -> RandomFeatures.of(reference.shape());
            case "patches" -> RandomFeatures.ofPatches(reference.shape());
            default -> named(chosen);
        };
    }

    /** The same of several, whose scores must not be named alike. */
    static List<FeatureExtractor> open(List<String> choices, ImageSet reference) {
        Require.notEmpty("extractor", choices);
        List<FeatureExtractor> opened = new ArrayList<>();
        try {
            for (String choice : choices) {
                FeatureExtractor one = open(choice, reference);
                opened.add(one);
                String name = one.space().extractor();
                if (opened.stream()
                                .filter(other -> other.space().extractor().equals(name))
                                .count()
                        > 1) {
                    throw new RetortException(
                                    Kind.USAGE,
                                    "the extractor " + choice + " is called " + name
                                            + " as one before it is, so their scores could not be told apart; leave one out")
                            .about("extractor");
                }
            }
            return List.copyOf(opened);
        } catch (RuntimeException e) {
            opened.forEach(FeatureExtractor::close);
            throw e;
        }
    }

    private static String suitable(ImageSet real) {
        ImageShape shape = real.shape();
        String made = PIXELS;
        if (shape.channels() == 1 && shape.height() == 28 && real.name().contains("fashion")) {
            made = "fashion";
        } else if (shape.height() == 16 && real.name().equals("shapes")) {
            made = "shapes";
        } else if (shape.channels() == 3 && shape.height() == 32 && real.name().contains("cifar")) {
            made = "r20cifar";
        }
        return made.equals(PIXELS) || found(below(made)).isEmpty() ? PIXELS : made;
    }

    private static String below(String name) {
        return name.equals("r20cifar") ? "shared/weights/resnet-cifar10/" + RESNET_20 : "zoo/" + name + "-classifier";
    }

    private static ClassifierExtractor folder(Path folder) {
        Classifiers.Loaded loaded = Classifiers.load(folder, Device.CPU);
        return of(loaded.network(), loaded.card().name(), folder.resolve(ModelFiles.WEIGHTS));
    }

    private static ClassifierExtractor resNet20(Path file) {
        return of(Classifiers.resNet20(file, Device.CPU), "R20cifar", file);
    }

    private static ClassifierExtractor of(Classifier network, String name, Path weights) {
        FeatureSpace space = new FeatureSpace(
                name,
                FileHash.sha256(List.of(weights)),
                network.preprocessing(),
                network.shape().featureSize());
        return new ClassifierExtractor(network, space);
    }

    /** Looks beside the current folder and above it, then beside the program and above that. */
    private static Optional<Path> found(String below) {
        return Stream.of(Path.of("").toAbsolutePath(), program())
                .flatMap(start -> Stream.iterate(start, at -> at != null, Path::getParent))
                .map(at -> at.resolve(below))
                .filter(Files::exists)
                .findFirst();
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
}
