package dev.retort.evaluate;

import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import java.util.List;

/**
 * Pictures made when they are read, all of one class.
 *
 * @param pictures how many
 * @param values their pixels
 */
record PixelSource(int pictures, int channels, int height, int width, Pixels values) implements ImageSource {
    /** Makes pixels. */
    interface Pixels {
        /** Value 0 to 255 of a pixel of a picture. */
        int at(long picture, int pixel);
    }

    /** The pictures of a batch as a set. */
    static ImageSet set(PixelBatch batch) {
        int size = batch.imageSize();
        PixelSource source = new PixelSource(
                batch.count(),
                batch.channels(),
                batch.height(),
                batch.width(),
                (picture, pixel) -> batch.pixels()[(int) picture * size + pixel] & 0xFF);
        return ImageSet.read(source, batch.count());
    }

    @Override
    public String name() {
        return "pixels";
    }

    @Override
    public List<String> classNames() {
        return List.of("all");
    }

    @Override
    public long size() {
        return pictures;
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        for (int i = 0; i < pixels(); i++) {
            out[offset + i] = values.at(index, i) / 127.5f - 1;
        }
        return new Note(0);
    }
}
