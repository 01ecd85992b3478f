package dev.retort.pipeline;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ImageShape;
import dev.retort.card.LatentScale;
import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.TiledDecoding;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;

/** The way between pictures and the values a network works on: none for pixels, an autoencoder for latents. */
public sealed interface ImageCodec extends AutoCloseable {
    /** Shape of the pictures. */
    ImageShape shape();

    /** Where it encodes. */
    Device device();

    /** Values of a network (N, C, H, W) → pictures of {@link #shape()}, in [-1, 1] up to an overshoot. */
    Tensor decode(Tensor values);

    /** Pictures in [-1, 1] → values, those of latents the most likely ones. */
    Tensor encode(Tensor images);

    @Override
    void close();

    /** That of a network of pixels. */
    static ImageCodec pixels(ImageShape shape) {
        return new Pixels(shape);
    }

    /** The codec of a model, its autoencoder from where the card says. */
    static ImageCodec of(ModelCard card, Device device) {
        return of(card, "", device);
    }

    /**
     * The codec of a model.
     *
     * @param autoencoder another place of its autoencoder, or of one with the same latents; empty for the card's own. Where
     *     the card names none, as other programs' files do, the one whose latents the model draws
     * @throws RetortException when there is none, or one whose latents are of another shape or scale
     */
    static ImageCodec of(ModelCard card, String autoencoder, Device device) {
        if (card.autoencoder() != null) {
            return latents(card, own(card.autoencoder(), autoencoder), device);
        }
        if (!autoencoder.isEmpty()) {
            AutoencoderFiles files = given(card, autoencoder);
            return latents(card.withAutoencoder(files.card()), files, device);
        }
        int channels = card.network().channels();
        if (channels != 1 && channels != 3) {
            throw new RetortException(
                            Kind.USAGE,
                            "the model draws " + channels
                                    + " channels, which are latents, and does not name an autoencoder; give the one they belong to")
                    .about("autoencoder");
        }
        return pixels(card.images());
    }

    /**
     * A decoder for previews of a model of latents, such as a tiny one of the same latents; its own scale is taken.
     *
     * @param autoencoder its place
     */
    static ImageCodec preview(ModelCard card, String autoencoder, Device device) {
        AutoencoderFiles files = given(card, autoencoder);
        return latents(card.withAutoencoder(files.card()), files, device);
    }

    /** The card with the autoencoder that the user names, where it names none itself. */
    static ModelCard complete(ModelCard card, String autoencoder) {
        if (card.autoencoder() != null || autoencoder.isEmpty()) {
            return card;
        }
        return card.withAutoencoder(given(card, autoencoder).card());
    }

    private static ImageCodec latents(ModelCard card, AutoencoderFiles files, Device device) {
        return new Latents(Autoencoder.load(files, device), card.autoencoder().scale(), card.images(), device);
    }

    private static AutoencoderFiles given(ModelCard card, String autoencoder) {
        AutoencoderFiles files = AutoencoderFiles.find(FileNames.path(autoencoder));
        AutoencoderCard given = files.card();
        if (given.latentChannels() != card.network().channels()) {
            throw new RetortException(
                            Kind.USAGE,
                            "the autoencoder " + autoencoder + " has latents of " + given.latentChannels()
                                    + " channels, the model draws "
                                    + card.network().channels()
                                    + "; give the autoencoder it was trained with, or none for pixels")
                    .about("autoencoder");
        }
        return files;
    }

    private static AutoencoderFiles own(AutoencoderCard wanted, String given) {
        Path path = FileNames.path(given.isEmpty() ? wanted.path() : given);
        if (given.isEmpty() && !AutoencoderFiles.exists(path)) {
            throw new RetortException(
                            Kind.CHECKPOINT,
                            "the autoencoder of these latents was at " + path
                                    + " and is no longer there; put it back, or give its new place")
                    .about("autoencoder");
        }
        AutoencoderFiles files = AutoencoderFiles.find(path);
        AutoencoderCard found = files.card();
        if (!found.sameSpace(wanted)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " has other latents (" + found.space() + ") than those the model was trained on ("
                            + wanted.space() + "); use the autoencoder that encoded its data");
        }
        if (given.isEmpty() && !found.sha256().equals(wanted.sha256())) {
            throw new RetortException(
                            Kind.CHECKPOINT,
                            "the weights that encoded the data have been replaced at " + path
                                    + "; put the old ones back, or name " + path
                                    + " as the autoencoder to use these")
                    .about("autoencoder");
        }
        return files;
    }

    /** Values are pixels. */
    record Pixels(ImageShape shape) implements ImageCodec {
        @Override
        public Device device() {
            return Device.CPU;
        }

        @Override
        public Tensor decode(Tensor values) {
            return values;
        }

        @Override
        public Tensor encode(Tensor images) {
            return images;
        }

        @Override
        public void close() {}
    }

    /**
     * Values are scaled latents; decoding is sliced, and tiled where pictures are large.
     *
     * @param scale between the autoencoder's latents and the network's values
     */
    record Latents(Autoencoder autoencoder, LatentScale scale, ImageShape shape, Device device) implements ImageCodec {
        @Override
        public Tensor decode(Tensor values) {
            return TiledDecoding.USUAL.decode(autoencoder, Autoencoder.toAutoencoder(scale, values));
        }

        @Override
        public Tensor encode(Tensor images) {
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                return scope.escape(
                        Autoencoder.toNetwork(scale, autoencoder.encode(images).mode()));
            }
        }

        @Override
        public void close() {
            autoencoder.close();
        }
    }
}
