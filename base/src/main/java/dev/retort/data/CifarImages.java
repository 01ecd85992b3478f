package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * CIFAR-10 in its binary layout, plain or gzipped, held in memory: records of one label byte and 1024 red, 1024 green,
 * 1024 blue bytes.
 */
public final class CifarImages implements ImageSource {
    private static final int SIDE = 32;
    private static final int PIXELS = 3 * SIDE * SIDE;
    private static final int RECORD = 1 + PIXELS;
    private static final Pattern TRAIN = Pattern.compile("(data_batch|.*train).*\\.bin(\\.gz)?");
    private static final Pattern TEST = Pattern.compile("(test_batch|.*test).*\\.bin(\\.gz)?");
    private static final List<String> CLASSES =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

    private final String name;
    private final List<byte[]> files;
    private final long size;

    private CifarImages(String name, List<byte[]> files) {
        this.name = name;
        this.files = files;
        this.size = files.stream().mapToLong(file -> file.length / RECORD).sum();
    }

    /**
     * Opens one {@code .bin} file, or those of a folder (also inside {@code cifar-10-batches-bin}) or of an archive
     * ({@code cifar-10-binary.tar.gz}) that belong to the split: {@code data_batch_1.bin} and the like for
     * {@code train}, {@code test_batch.bin} for {@code test}.
     */
    public static CifarImages open(Path path, String split) {
        List<byte[]> files = new ArrayList<>();
        if (path.toString().matches(".*\\.(tar|tar\\.gz|tgz)")) {
            files.addAll(unpack(path, split));
        } else {
            for (Path file : Files.isDirectory(path) ? find(path, split) : List.of(path)) {
                files.add(read(file));
            }
        }
        return new CifarImages(path.toAbsolutePath().normalize().getFileName() + "/" + split, files);
    }

    /** Whether a folder holds such files for this split. */
    static boolean isIn(Path folder, String split) {
        return !list(folder, split).isEmpty();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int channels() {
        return 3;
    }

    @Override
    public int height() {
        return SIDE;
    }

    @Override
    public int width() {
        return SIDE;
    }

    @Override
    public List<String> classNames() {
        return CLASSES;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        long left = index;
        for (byte[] file : files) {
            int records = file.length / RECORD;
            if (left < records) {
                int at = (int) left * RECORD;
                for (int i = 0; i < PIXELS; i++) {
                    out[offset + i] = (file[at + 1 + i] & 0xff) / 127.5f - 1;
                }
                return new Note(file[at]);
            }
            left -= records;
        }
        throw new IndexOutOfBoundsException("picture " + index + " of " + size);
    }

    private static List<Path> find(Path folder, String split) {
        List<Path> files = list(folder, split);
        if (files.isEmpty()) {
            throw missing(folder, split);
        }
        return files;
    }

    private static Pattern pattern(String split) {
        return split.equals("train") ? TRAIN : TEST;
    }

    private static List<Path> list(Path folder, String split) {
        Path inner = folder.resolve("cifar-10-batches-bin");
        try (Stream<Path> files = Files.list(Files.isDirectory(inner) ? inner : folder)) {
            return files.filter(file -> pattern(split)
                            .matcher(file.getFileName().toString())
                            .matches())
                    .filter(file -> !file.getFileName().toString().contains("label"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the folder " + folder + " (" + e.getMessage() + "); check data.path", e);
        }
    }

    private static List<byte[]> unpack(Path archive, String split) {
        Map<String, byte[]> files = new TreeMap<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(Compressed.open(archive))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String file = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
                if (entry.isFile() && pattern(split).matcher(file).matches()) {
                    files.put(file, checked(tar.readAllBytes()));
                }
            }
        } catch (IOException e) {
            throw unreadable(archive, e);
        }
        if (files.isEmpty()) {
            throw missing(archive, split);
        }
        return List.copyOf(files.values());
    }

    private static byte[] read(Path file) {
        try (InputStream in = Compressed.open(file)) {
            return checked(in.readAllBytes());
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static byte[] checked(byte[] bytes) throws IOException {
        if (bytes.length == 0 || bytes.length % RECORD != 0) {
            throw new IOException(bytes.length + " bytes are no whole number of records of " + RECORD);
        }
        for (int at = 0; at < bytes.length; at += RECORD) {
            if (bytes[at] < 0 || bytes[at] >= CLASSES.size()) {
                throw new IOException("record " + at / RECORD + " has the label " + (bytes[at] & 0xff));
            }
        }
        return bytes;
    }

    private static RetortException unreadable(Path file, IOException e) {
        return new RetortException(
                Kind.DATA,
                "cannot read " + file + " as CIFAR-10 binary (" + e.getMessage() + "); fetch it again or set data.kind",
                e);
    }

    private static RetortException missing(Path place, String split) {
        return new RetortException(
                Kind.DATA,
                "no CIFAR-10 binary files of the split '" + split + "' in " + place
                        + "; put data_batch_1.bin to data_batch_5.bin and test_batch.bin there or set data.path");
    }
}
