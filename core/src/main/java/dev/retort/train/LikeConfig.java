package dev.retort.train;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.DownloadListener;
import dev.retort.pipeline.Models;
import java.util.Map;
import java.util.Optional;

/**
 * A network of the shape that some model has, such as one that {@code retort cut} wrote; a U-Net of any height and width. Its tokenizers are
 * that model's.
 *
 * @param model a model folder, a run, a checkpoint or {@code hf:OWNER/NAME}
 * @param dropout share of conditions dropped in training; 0 allows no guidance
 */
public record LikeConfig(String model, double dropout) implements NetworkConfig {
    /** Validates. */
    public LikeConfig {
        Require.that(!model.isBlank(), "model", model, "a model");
        Require.between("dropout", dropout, 0, 0.99);
    }

    /** What a configuration may leave out: all but the model. */
    public static Map<String, ?> defaults() {
        return Map.of("dropout", 0.1);
    }

    private ModelCard card() {
        return Models.card(Models.locate(model, DownloadListener.NONE));
    }

    @Override
    public Optional<TextCard> text(ImageSource source) {
        return Optional.ofNullable(card().text());
    }

    @Override
    public NetworkSpec spec(String field, ImageSource source, boolean learnSigma) {
        NetworkSpec like = card().network();
        if (like instanceof TextToImageSpec) {
            source.requireCaptions();
        }
        ImageShape images = new ImageShape(source.channels(), source.height(), source.width());
        Optional<UNetSpec> unet = TextToImageSpec.unet(like);
        if (unet.isPresent()) {
            return TextToImageSpec.with(like, unet.get().with(new UNetSpec.Grid(images, learnSigma, 1)));
        }
        if (!like.shape().equals(images) || like.learnSigma() != learnSigma) {
            throw new RetortException(
                    Kind.CONFIG,
                    field + ".model is " + model + ", a network of " + like.shape()
                            + (like.learnSigma() ? " with" : " without")
                            + " a learned variance, but the images of " + source.name() + " are " + images
                            + " and the objective is" + (learnSigma ? " with" : " without")
                            + " one; choose images and objective like the model's");
        }
        return like.withOutputs(1);
    }
}
