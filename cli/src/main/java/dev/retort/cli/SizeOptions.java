package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.PictureCard;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How large pictures are drawn, where not as the model was trained. */
final class SizeOptions {
    @Option(
            names = "--size",
            paramLabel = "HxW",
            converter = Sides.class,
            description =
                    "Height and width of the pictures in pixels, such as 512x768, of a network that is not bound to"
                            + " one size; by default those that the model was trained on.")
    private Size size;

    /**
     * Sides of a picture.
     *
     * @param height in pixels
     * @param width in pixels
     */
    record Size(int height, int width) {}

    /** Reads {@code 512x768}. */
    static final class Sides implements ITypeConverter<Size> {
        private static final Pattern SIDES = Pattern.compile("([0-9]{1,9})[xX]([0-9]{1,9})");

        @Override
        public Size convert(String text) {
            Matcher sides = SIDES.matcher(text.strip());
            if (!sides.matches()) {
                throw new TypeConversionException("a height and a width such as 512x768");
            }
            return new Size(Integer.parseInt(sides.group(1)), Integer.parseInt(sides.group(2)));
        }
    }

    /** The card of the size asked for, else of that of the picture shown. */
    ModelCard of(ModelCard card, Optional<PictureCard> shown) {
        Size asked = size != null
                ? size
                : shown.map(picture -> new Size(picture.height(), picture.width()))
                        .orElse(null);
        return asked == null ? card : card.atSize(asked.height(), asked.width());
    }
}
