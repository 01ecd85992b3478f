package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Grey pictures in the IDX format of MNIST and Fashion-MNIST, plain or gzipped, held in memory as bytes. Pictures may
 * be padded with black to a larger square, such as 28 to 32.
 */
public final class IdxImages implements ImageSource {
    private static final List<String> FASHION = List.of(
            "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot");
    private static final int MOST_BYTES = 1 << 30;

    private final String name;
    private final List<Path> files;
    private final int size;
    private final int rows;
    private final int columns;
    private final byte[] pixels;
    private final byte[] labels;
    private final List<String> classNames;

    private IdxImages(
            String name,
            List<Path> files,
            int size,
            int rows,
            int columns,
            byte[] pixels,
            byte[] labels,
            List<String> classNames) {
        this.name = name;
        this.files = files;
        this.size = size;
        this.rows = rows;
        this.columns = columns;
        this.pixels = pixels;
        this.labels = labels;
        this.classNames = classNames;
    }

    /**
     * Opens {@code train-images-idx3-ubyte[.gz]} and its labels, or the {@code t10k} pair for the split {@code test}.
     *
     * @param folder where the four files of the set lie
     * @param split {@code train} or {@code test}
     * @param size rows and columns to pad to; 0 keeps the stored size
     */
    public static IdxImages open(Path folder, String split, int size) {
        String prefix =
                switch (split) {
                    case "train" -> "train";
                    case "test" -> "t10k";
                    default ->
                        throw new RetortException(Kind.CONFIG, "split is '" + split + "', expected train or test");
                };
        Path imageFile = find(folder, prefix + "-images-idx3-ubyte");
        Path labelFile = find(folder, prefix + "-labels-idx1-ubyte");
        int[] imageShape = new int[3];
        byte[] pixels = read(imageFile, imageShape);
        int[] labelShape = new int[1];
        byte[] labels = read(labelFile, labelShape);
        int rows = imageShape[1];
        int columns = imageShape[2];
        if (imageShape[0] != labelShape[0] || imageShape[0] == 0) {
            throw new RetortException(
                    Kind.DATA,
                    imageFile + " holds " + imageShape[0] + " pictures but " + labelFile + " " + labelShape[0]
                            + " labels; use two files of the same set");
        }
        int padded = size == 0 ? Math.max(rows, columns) : size;
        if (padded < Math.max(rows, columns)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data.size is " + size + ", smaller than the " + rows + "x" + columns + " pictures of " + imageFile
                            + "; choose at least " + Math.max(rows, columns));
        }
        return new IdxImages(
                folder.toAbsolutePath().normalize().getFileName() + "/" + split,
                List.of(imageFile, labelFile),
                padded,
                rows,
                columns,
                pixels,
                labels,
                classNames(folder, labels));
    }

    @Override
    public List<Path> files() {
        return files;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int channels() {
        return 1;
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
        return labels.length;
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        Arrays.fill(out, offset, offset + size * size, -1f);
        int top = (size - rows) / 2;
        int left = (size - columns) / 2;
        int at = Math.toIntExact(index) * rows * columns;
        for (int row = 0; row < rows; row++) {
            int to = offset + (top + row) * size + left;
            for (int column = 0; column < columns; column++) {
                out[to++] = (pixels[at++] & 0xff) / 127.5f - 1;
            }
        }
        return new Note(label(index));
    }

    @Override
    public int label(long index) {
        return labels[Math.toIntExact(index)] & 0xff;
    }

    private static List<String> classNames(Path folder, byte[] labels) {
        int most = 0;
        for (byte label : labels) {
            most = Math.max(most, label & 0xff);
        }
        if (folder.toAbsolutePath().normalize().getFileName().toString().contains("fashion") && most < 10) {
            return FASHION;
        }
        return IntStream.rangeClosed(0, most).mapToObj(Integer::toString).toList();
    }

    private static Path find(Path folder, String file) {
        for (String name : List.of(file, file + ".gz", file.replace("-idx", ".idx"))) {
            if (Files.isRegularFile(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        throw new RetortException(
                Kind.DATA,
                "no " + file + " or " + file + ".gz in " + folder + "; put the four IDX files of the set there or set"
                        + " data.path");
    }

    /** Magic number 0x08 (bytes) and the number of dimensions, the dimensions, the values; all big-endian. */
    private static byte[] read(Path file, int[] shape) {
        try (DataInputStream in = new DataInputStream(Compressed.open(file))) {
            int magic = in.readInt();
            if (magic != 0x800 + shape.length) {
                throw new RetortException(
                        Kind.DATA,
                        file + " starts with " + magic + ", expected " + (0x800 + shape.length) + " for IDX bytes of "
                                + shape.length + " dimensions; it is another kind of file");
            }
            long count = 1;
            for (int i = 0; i < shape.length; i++) {
                shape[i] = in.readInt();
                if (shape[i] < 0 || (count *= shape[i]) > MOST_BYTES) {
                    throw new RetortException(
                            Kind.DATA, file + " claims " + Arrays.toString(shape) + " values; it is damaged");
                }
            }
            byte[] values = in.readNBytes((int) count);
            if (values.length < count) {
                throw new EOFException("it ends after " + values.length + " of " + count + " values");
            }
            return values;
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read " + file + " (" + e.getMessage() + "); fetch it again", e);
        }
    }
}
