package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.diffusion.Rng;
import java.util.List;
import java.util.Optional;

/**
 * A source whose every picture is there twice, the second time at another size, for a teacher that works at that size.
 *
 * @param images what the network in training sees
 * @param other the same pictures in the same order
 */
public record PairedImages(ImageSource images, ImageSource other) implements ImageSource {
    @Override
    public Optional<ImageSource> paired() {
        return Optional.of(other);
    }

    @Override
    public void requireCaptions() {
        images.requireCaptions();
    }

    @Override
    public String name() {
        return images.name();
    }

    @Override
    public int channels() {
        return images.channels();
    }

    @Override
    public int height() {
        return images.height();
    }

    @Override
    public int width() {
        return images.width();
    }

    @Override
    public List<String> classNames() {
        return images.classNames();
    }

    @Override
    public long size() {
        return images.size();
    }

    @Override
    public boolean hasTestSplit() {
        return images.hasTestSplit();
    }

    @Override
    public List<String> notes() {
        return images.notes();
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        return images.read(index, out, offset);
    }

    @Override
    public Note note(long index) {
        return images.note(index);
    }

    @Override
    public int label(long index) {
        return images.label(index);
    }

    @Override
    public Note readAugmented(long index, boolean mirrored, Rng chance, float[] out, int offset) {
        return images.readAugmented(index, mirrored, chance, out, offset);
    }

    @Override
    public Optional<AutoencoderCard> autoencoder() {
        return images.autoencoder();
    }
}
