package dev.retort.train;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NamedLayout;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Map;

/**
 * A student that is a part of its teacher, a U-Net with text encoders or without: the same network with fewer blocks. Its text encoders are
 * the teacher's.
 *
 * @param layout which blocks it keeps
 * @param channels share of the channels that it keeps, such as 0.5
 * @param dropout share of conditions dropped in training; 0 allows no guidance
 */
public record CutConfig(NamedLayout layout, double channels, double dropout) implements NetworkConfig {
    /** Validates. */
    public CutConfig {
        Require.that(channels > 0 && channels <= 1, "channels", channels, "a share above 0, at most 1");
        Require.between("dropout", dropout, 0, 0.99);
    }

    /** What a configuration may leave out: all but the layout. */
    public static Map<String, ?> defaults() {
        return Map.of("channels", 1, "dropout", 0.1);
    }

    /** Refused: from nothing there is no teacher. */
    @Override
    public NetworkSpec spec(String field, ImageSource source, boolean learnSigma) {
        throw new RetortException(
                Kind.CONFIG,
                field + ".type is cut, a part of a teacher, but a training from nothing has none; choose dit,"
                        + " text-to-image or like, or distil ('retort presets distill')");
    }

    @Override
    public NetworkSpec spec(String field, ModelCard teacher, ImageSource source, boolean learnSigma) {
        NetworkSpec taught = teacher.network();
        UNetSpec whole = TextToImageSpec.unet(taught)
                .orElseThrow(() -> new RetortException(
                        Kind.CONFIG,
                        field + ".type is cut, which knows the layouts of U-Nets, but the teacher is " + taught.name()
                                + "; give the student's own shape (" + field
                                + ".size), and init=cut cuts its weights"));
        if (taught instanceof TextToImageSpec) {
            source.requireCaptions();
        }
        return TextToImageSpec.with(taught, part(field, whole, source, learnSigma));
    }

    private UNetSpec part(String field, UNetSpec teacher, ImageSource source, boolean learnSigma) {
        UNetSpec.Grid grid =
                new UNetSpec.Grid(new ImageShape(source.channels(), source.height(), source.width()), learnSigma, 1);
        UNetSpec whole = teacher.with(grid);
        try {
            return UNetSizes.narrowed(layout.of(whole).of(whole), channels);
        } catch (RetortException | IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, field + "." + e.getMessage(), e);
        }
    }
}
