package dev.retort.cli;

import dev.retort.data.DataSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Contestant;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Judge;
import dev.retort.model.ModelCard;
import dev.retort.model.ModelFolder;
import dev.retort.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** By which extractor, against which images and on how many samples models are judged. */
final class JudgeOptions {
    @Option(
            names = "--data",
            paramLabel = "PATH|shapes",
            description = "Real images with splits train and test; by default what the model was trained on.")
    private String data;

    @Option(
            names = "--extractor",
            paramLabel = "NAME|PATH",
            defaultValue = "auto",
            description = "fashion, r20cifar, pixels (untrained control), or the folder of a classifier; by default the "
                    + "one that suits the data.")
    private String extractor;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "10000",
            description = "Images of each model, part of the scores' names; by default 10000.")
    private int samples;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed of all images; by default 0.")
    private long seed;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "128",
            description = "Images drawn at once; changes none of them.")
    private int batch;

    @Mixin
    private SamplingOptions sampling;

    /** A model under the name of the folder the user gave, sampled as its card and the options say. */
    Contestant contestant(Path given) {
        Path model = RunFolder.resolveModel(given);
        ModelCard card = ModelFolder.card(model);
        Path named = given.toAbsolutePath().normalize().getFileName();
        return new Contestant(
                named == null ? "model" : named.toString(), model, sampling.of(card, given.toString()));
    }

    /** Opens the judge; the first model decides which data are meant where none are given. */
    Judge judge(Contestant first, Hardware.Chosen chosen) {
        if (samples < 2) {
            throw new RetortException(Kind.USAGE, "--samples is " + samples + ", expected at least 2");
        }
        if (batch < 1) {
            throw new RetortException(Kind.USAGE, "--batch is " + batch + ", expected at least 1");
        }
        return Judge.of(
                dataOf(first),
                extractor,
                new FeatureCache(cacheFolder()),
                new Judge.Settings(samples, seed, batch, chosen.device(), chosen.precision()));
    }

    long seed() {
        return seed;
    }

    private DataSpec dataOf(Contestant first) {
        ModelCard card = first.card();
        int size = card.network().height();
        if (data != null) {
            return data.equals("shapes") ? DataSpec.shapes(size) : new DataSpec("auto", data, "test", size, false);
        }
        if (card.data().startsWith("shapes")) {
            return DataSpec.shapes(size);
        }
        Path at = first.model().toAbsolutePath().normalize();
        for (int up = 0; up < 3 && at != null; up++, at = at.getParent()) {
            Path config = at.resolve("config.yaml");
            if (Files.isRegularFile(config)) {
                JsonNode found = tree(config).findValue("data");
                if (found != null && found.hasNonNull("path") && found.hasNonNull("kind")) {
                    return new DataSpec(
                            found.get("kind").asString(), found.get("path").asString(), "test", size, false);
                }
            }
        }
        throw new RetortException(
                Kind.USAGE,
                first.name() + " was trained on " + card.data()
                        + ", and no run folder says where that lies; give --data PATH");
    }

    private static JsonNode tree(Path config) {
        try {
            return YAMLMapper.builder().build().readTree(Files.readString(config));
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CONFIG, config + " cannot be read to find the model's data; give --data PATH", e);
        }
    }

    private static Path cacheFolder() {
        String base = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
        Path cache = base.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(base);
        return cache.resolve("retort").resolve("features");
    }
}
