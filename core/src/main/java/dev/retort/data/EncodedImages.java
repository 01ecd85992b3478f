package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.CentreCrop;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Pictures that lie encoded (JPEG, PNG, WebP, BMP) in files or an archive, cropped to a square as DiT does, in RGB.
 * What is decoded once stays in memory as bytes where the whole set fits into a quarter of the heap.
 */
final class EncodedImages implements ImageSource {
    private static final int OVERHEAD = 64;

    /** One encoded picture. */
    record Picture(String name, int label, Fetch fetch, Supplier<Optional<String>> caption) {}

    /** Gets the encoded bytes. */
    @FunctionalInterface
    interface Fetch {
        byte[] bytes() throws IOException;
    }

    private final String name;
    private final int size;
    private final List<String> classNames;
    private final List<Picture> pictures;
    private final boolean divided;
    private final AtomicReferenceArray<PixelImage> decoded;

    /**
     * @param size rows and columns, at least 1
     * @param divided whether these are one split of several
     */
    EncodedImages(String name, int size, List<String> classNames, List<Picture> pictures, boolean divided) {
        if (size < 1) {
            throw new RetortException(
                    Kind.CONFIG, "data.size is " + size + ", expected at least 1; set the size to crop pictures to");
        }
        this.name = name;
        this.size = size;
        this.classNames = classNames;
        this.pictures = pictures;
        this.divided = divided;
        long bytes = pictures.size() * (3L * size * size + OVERHEAD);
        boolean fits = bytes <= Runtime.getRuntime().maxMemory() / 4;
        this.decoded = fits ? new AtomicReferenceArray<>(pictures.size()) : null;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean divided() {
        return divided;
    }

    @Override
    public int channels() {
        return 3;
    }

    @Override
    public int height() {
        return size;
    }

    @Override
    public int width() {
        return size;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public long size() {
        return pictures.size();
    }

    @Override
    public int read(long index, float[] out, int offset) {
        int i = Math.toIntExact(index);
        PixelImage image = decoded == null ? null : decoded.get(i);
        if (image == null) {
            image = decode(pictures.get(i));
            if (decoded != null) {
                decoded.set(i, image);
            }
        }
        image.toFloats(out, offset);
        return pictures.get(i).label();
    }

    @Override
    public Optional<String> caption(long index) {
        return pictures.get(Math.toIntExact(index)).caption().get();
    }

    private PixelImage decode(Picture picture) {
        try {
            PixelImage whole = ImageDecoder.decode(picture.fetch().bytes(), picture.name());
            return CentreCrop.square(whole, size).rgb();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA,
                    "cannot read the picture " + picture.name() + " (" + e.getMessage() + "); repair or remove it",
                    e);
        }
    }
}
