package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.utils.SeekableInMemoryByteChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Damaged files in memory, 100,000 of each format: each ends in values or in one clean refusal. Damage that a zip's
 * checksum would hide is done inside the zip, whose checksum is then right.
 */
@Timeout(300)
class FormatFuzzTest {
    private static final int CASES = 100_000;
    private static final Path GOOD = Path.of("src/test/resources/formats/good");
    /** A header may claim what it likes; what is read must exist. */
    private static final long MOST_BYTES = 1 << 16;

    @Test
    void safetensors() throws IOException {
        run(
                CASES,
                List.of(
                        good("dtypes.safetensors"),
                        good("padded-header.safetensors"),
                        good("header-order.safetensors")),
                Mutation::of,
                SafetensorsFile::open);
    }

    @Test
    void torch_zip_as_a_file() throws IOException {
        run(CASES / 2, List.of(small("a/data.pkl"), good("cuda-location.pt")), Mutation::of, TorchFile::open);
    }

    @Test
    void torch_zip_inside_its_pickle() throws IOException {
        byte[] pickle = content(good("cuda-location.pt"), "data.pkl");
        List<byte[]> storages = List.of(content(good("cuda-location.pt"), "data/0"));
        run(CASES / 2, List.of(pickle), (bytes, random) -> zip(Mutation.of(bytes, random), storages), TorchFile::open);
    }

    @Test
    void torch_legacy() throws IOException {
        run(CASES, List.of(good("torch-legacy.pt")), Mutation::of, TorchFile::open);
    }

    @Test
    void npy() throws IOException {
        run(CASES / 2, List.of(good("single.npy"), good("version2.npy")), Mutation::of, NpyFile::open);
    }

    @Test
    void npz() throws IOException {
        run(
                CASES / 4,
                List.of(good("big-endian.npz"), good("names.npz"), good("samples-compressed.npz")),
                Mutation::of,
                NpzFile::open);
    }

    @Test
    void npz_inside_its_arrays() throws IOException {
        run(
                CASES / 4,
                List.of(good("single.npy"), good("version2.npy")),
                (bytes, random) -> zip("a.npy", Mutation.of(bytes, random), random.nextInt(8) > 0),
                NpzFile::open);
    }

    private interface Damage {
        byte[] of(byte[] whole, SplittableRandom random) throws IOException;
    }

    private static void run(int cases, List<byte[]> wholes, Damage damage, Function<RandomAccess, TensorFile> open)
            throws IOException {
        SplittableRandom random = new SplittableRandom(20260);
        int read = 0;
        int refused = 0;
        for (int i = 0; i < cases; i++) {
            byte[] bytes = damage.of(wholes.get(i % wholes.size()), random);
            RandomAccess access = new RandomAccess(Path.of("fuzz"), new SeekableInMemoryByteChannel(bytes));
            try (TensorFile file = open.apply(access)) {
                for (TensorEntry entry : file.entries().values()) {
                    assertThat(entry.byteCount()).isBetween(0L, MOST_BYTES * 1040);
                    if (entry.byteCount() <= MOST_BYTES) {
                        file.floats(entry.name());
                    }
                }
                read++;
            } catch (RetortException e) {
                assertThat(e.getMessage()).contains("fuzz");
                refused++;
            } catch (Throwable e) {
                fail("case " + i + " of " + bytes.length + " bytes ended in " + e, e);
            }
        }
        // Neither all refused nor all believed: the damage reaches the parser's inside.
        assertThat(read).isGreaterThan(cases / 1000);
        assertThat(refused).isGreaterThan(cases / 10);
    }

    private static byte[] good(String name) throws IOException {
        return Files.readAllBytes(GOOD.resolve(name));
    }

    /** The entry of a zip whose name ends so. */
    private static byte[] content(byte[] zip, String end) throws IOException {
        try (RandomAccess access = new RandomAccess(Path.of("seed"), new SeekableInMemoryByteChannel(zip))) {
            Archive archive = new Archive(access);
            for (String name : archive.entries().keySet()) {
                if (name.endsWith("/" + end)) {
                    return archive.content(archive.entries().get(name), 1 << 16);
                }
            }
            throw new IllegalArgumentException("no entry " + end);
        }
    }

    /** The shortest torch zip, so that damage hits something. */
    private static byte[] small(String pickleName) throws IOException {
        byte[] pickle = content(good("cuda-location.pt"), "data.pkl");
        byte[] storage = content(good("cuda-location.pt"), "data/0");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, pickleName, pickle, true);
            put(zip, "a/data/0", storage, true);
        }
        return out.toByteArray();
    }

    private static byte[] zip(byte[] pickle, List<byte[]> storages) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, "a/data.pkl", pickle, true);
            for (int i = 0; i < storages.size(); i++) {
                put(zip, "a/data/" + i, storages.get(i), true);
            }
        }
        return out.toByteArray();
    }

    private static byte[] zip(String name, byte[] content, boolean stored) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, name, content, stored);
        }
        return out.toByteArray();
    }

    private static void put(ZipOutputStream zip, String name, byte[] content, boolean stored) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        if (stored) {
            CRC32 crc = new CRC32();
            crc.update(content);
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(content.length);
            entry.setCrc(crc.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
