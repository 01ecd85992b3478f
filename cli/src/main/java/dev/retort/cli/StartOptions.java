package dev.retort.cli;

import dev.retort.card.ImageShape;
import dev.retort.card.PictureCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.CentreCrop;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.pipeline.ImageCodec;
import dev.retort.sample.Start;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** From which picture sampling starts, where not from noise alone. */
final class StartOptions {
    private static final double USUAL = 0.8;

    @Option(
            names = "--init-image",
            paramLabel = "FILE",
            description = "Start from this picture instead of noise alone, noised to the level of --strength.")
    private Path image;

    @Option(
            names = "--strength",
            paramLabel = "S",
            description =
                    "Share of the steps that are done from --init-image, above 0: the less, the more of it stays. By"
                            + " default 0.8; with --mask 1, which draws the masked part from noise alone.")
    private Double strength;

    @Option(
            names = "--mask",
            paramLabel = "FILE",
            description = "Draw only what is white here; the rest of --init-image stays as it is.")
    private Path mask;

    /** The picture asked for, else one that another picture was drawn from, with what the options change. */
    Optional<PictureCard.Source> source(Optional<PictureCard.Source> usual) {
        String given = image == null ? usual.map(PictureCard.Source::image).orElse(null) : image.toString();
        if (given == null) {
            if (mask != null || strength != null) {
                throw new RetortException(
                        Kind.USAGE,
                        (mask != null ? "--mask " + mask : "--strength " + strength)
                                + " says what is drawn of a picture, and none is given; add --init-image");
            }
            return Optional.empty();
        }
        Optional<String> area = mask != null
                ? Optional.of(mask.toString())
                : image == null ? usual.flatMap(PictureCard.Source::mask) : Optional.empty();
        double least = area.isPresent() ? 1 : USUAL;
        double share = strength != null
                ? strength
                : image == null ? usual.map(PictureCard.Source::strength).orElse(least) : least;
        return Optional.of(new PictureCard.Source(given, share, area));
    }

    /** Reads it as a model wants it; what had to be resized is said. */
    static Start start(PictureCard.Source source, ImageCodec codec, Output output) {
        PixelImage picture = fitted(source.image(), codec.shape(), output);
        picture = codec.shape().channels() == 1 ? picture.grey() : picture.rgb();
        return Start.of(
                codec, picture, source.mask().map(file -> fitted(file, codec.shape(), output)), source.strength());
    }

    private static PixelImage fitted(String file, ImageShape shape, Output output) {
        PixelImage read = ImageDecoder.read(Path.of(file));
        if (read.height() == shape.height() && read.width() == shape.width()) {
            return read;
        }
        output.say(file + " is " + read.width() + "x" + read.height() + ", the model draws " + shape.width() + "x"
                + shape.height() + ": its middle is taken, resized");
        return CentreCrop.of(read, shape.height(), shape.width());
    }
}
