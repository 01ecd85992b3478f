package dev.retort.data;

import java.util.List;

/**
 * Labelled pictures of one size, addressed by index. Implementations are safe for concurrent reads and never touch
 * libtorch.
 */
public interface ImageSource {
    /** Size of a source that never ends. */
    long INFINITE = Long.MAX_VALUE;

    /** Short name for logs and reports, such as {@code fashion-mnist/train}. */
    String name();

    /** Colour channels: 1 or 3. */
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
     * @return the label
     * @throws dev.retort.error.RetortException of kind DATA, naming the picture, when it is damaged
     */
    int read(long index, float[] out, int offset);

    /** Values of one picture. */
    default int pixels() {
        return channels() * height() * width();
    }
}
