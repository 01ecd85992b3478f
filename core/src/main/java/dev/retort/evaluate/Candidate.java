package dev.retort.evaluate;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.report.ModelColumn;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A model sampled one way: what a column of a comparison is about.
 *
 * @param name short name, unique in the comparison
 * @param model its folder, with {@code model.json}
 * @param sampling solver, steps and guidance
 * @param autoencoder where the decoder of its latents lies; empty for the place its card names, and for models of pixels
 * @param card what the model is, the autoencoder included
 */
public record Candidate(String name, Path model, SamplingSpec sampling, String autoencoder, ModelCard card) {
    /** Reads the model's card. */
    public Candidate(String name, Path model, SamplingSpec sampling, String autoencoder) {
        this(name, model, sampling, autoencoder, ImageCodec.complete(Models.card(model), autoencoder));
    }

    /** With the autoencoder that its card names, if any. */
    public Candidate(String name, Path model, SamplingSpec sampling) {
        this(name, model, sampling, "");
    }

    /** The same under another card, such as one that says nothing of what it was trained for. */
    public Candidate with(ModelCard other) {
        return new Candidate(name, model, sampling, autoencoder, other);
    }

    /** The same with weights that lie elsewhere. */
    public Candidate at(Path other) {
        return new Candidate(name, other, sampling, autoencoder, card);
    }

    /** Names of the classes that it was distilled for; none where it is for all. */
    List<String> domain() {
        return card.trainedFor().classes().stream().map(card.classes()::get).toList();
    }

    /** The line of a chart on which it is a point: its name without the number of steps. */
    String line() {
        return ModelColumn.line(name);
    }

    /** Values in its network. */
    public long parameters() {
        return card.network().parameters();
    }

    /** Network calls for one image, the two of a guided step both counted. */
    public int networkCalls() {
        return NetworkCalls.of(card, sampling);
    }

    /** Multiply-accumulates for one image, from noise to pixels. */
    public long macsPerImage() {
        return networkCalls() * card.network().macs();
    }

    /** Architecture and sampling in a few words. */
    public String description() {
        return String.format(
                Locale.ROOT,
                "%s, %s %s, guidance %s%s",
                card.network().name(),
                sampling.solver().text(),
                ModelColumn.steps(sampling.steps()),
                sampling.guidanceScale(),
                sampling.temperature() == 1 ? "" : ", temperature " + sampling.temperature());
    }
}
