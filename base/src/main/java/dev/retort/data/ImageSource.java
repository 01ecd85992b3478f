package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.diffusion.Rng;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Labelled pictures of one size, or latents of pictures, addressed by index. Implementations are safe for concurrent reads
 * and never touch libtorch.
 */
public interface ImageSource {
    /** Size of a source that never ends. */
    long INFINITE = Long.MAX_VALUE;

    /** Short name for logs and reports, such as {@code fashion-mnist/train}. */
    String name();

    /** Colour channels, 1 or 3, or the channels of a latent. */
    int channels();

    /** Rows of a picture. */
    int height();

    /** Columns of a picture. */
    int width();

    /** What each label means; its length is the number of classes. */
    List<String> classNames();

    /** Number of pictures, or {@link #INFINITE}. */
    long size();

    /**
     * Decodes picture {@code index} into {@code out} from {@code offset} on, as {@code channels * height * width} values
     * in [-1, 1], channel by channel, rows from the top.
     *
     * @return its class and captions
     * @throws dev.retort.error.RetortException of kind DATA, naming the picture, when it is damaged
     */
    Note read(long index, float[] out, int offset);

    /**
     * The class and captions of picture {@code index}; sources that know them without the picture do not read it.
     *
     * @throws dev.retort.error.RetortException of kind DATA, naming the picture, when it must be read and is damaged
     */
    default Note note(long index) {
        return read(index, new float[pixels()], 0);
    }

    /** The class of picture {@code index}, as {@link #note} says it. */
    default int label(long index) {
        return note(index).label();
    }

    /**
     * Reads picture {@code index} as training wants it, which differs from time to time.
     *
     * @param mirrored whether left and right are exchanged
     * @param chance random numbers of this place in the order of training, for sources that hold distributions
     * @return its class and captions
     */
    default Note readAugmented(long index, boolean mirrored, Rng chance, float[] out, int offset) {
        Note note = read(index, out, offset);
        if (mirrored) {
            int end = offset + pixels();
            for (int row = offset; row < end; row += width()) {
                for (int left = row, right = row + width() - 1; left < right; left++, right--) {
                    float kept = out[left];
                    out[left] = out[right];
                    out[right] = kept;
                }
            }
        }
        return note;
    }

    /**
     * Refuses pictures that nothing is written about, for networks that are told by text; an empty caption is one.
     *
     * @throws dev.retort.error.RetortException of kind DATA that says how many there are, and the first
     */
    default void requireCaptions() {
        throw Captions.missing(name(), size(), size(), "");
    }

    /** Whether the set it is of keeps training and test pictures apart; where not, all of them are training pictures. */
    default boolean hasTestSplit() {
        return true;
    }

    /** What a person should know of how the set was read, a sentence each: what was left out, and why. */
    default List<String> notes() {
        return List.of();
    }

    /** The files on disk that it is read from, pictures and what is written about them; none where nothing is read. */
    default List<Path> files() {
        return List.of();
    }

    /** What encoded them, where they are latents. */
    default Optional<AutoencoderCard> autoencoder() {
        return Optional.empty();
    }

    /** The same pictures in the same order at another size, where there are any. */
    default Optional<ImageSource> paired() {
        return Optional.empty();
    }

    /** Values of one picture. */
    default int pixels() {
        return channels() * height() * width();
    }
}
