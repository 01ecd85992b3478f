package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import org.apache.commons.compress.utils.SeekableInMemoryByteChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A zip has a checksum of each of its entries: damage of values is refused, and nothing is read twice to find it. */
class ChecksumTest {
    private static final int COUNT = 50_000;

    @TempDir
    Path folder;

    private Path file(String format) {
        Path file = folder.resolve("a." + format);
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = i;
        }
        if (format.equals("npz")) {
            NpzWriter.write(file, writer -> {
                writer.add("w", new long[] {COUNT}, values);
                writer.add("b", new long[] {1}, new float[] {1});
            });
        } else {
            ByteBuffer bytes = ByteBuffer.allocate(4 * COUNT).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            new TorchWriter()
                    .add("w", Dtype.F32, new long[] {COUNT}, out -> out.write(bytes.duplicate()))
                    .add("b", Dtype.F32, new long[] {1}, out -> out.write(ByteBuffer.allocate(4)))
                    .write(file);
        }
        return file;
    }

    /** Flips one bit of the value 40000. */
    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer looked = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length - 8; at++) {
            if (looked.getFloat(at) == 40_000 && looked.getFloat(at + 4) == 40_001) {
                bytes[at] ^= 4;
                Files.write(file, bytes);
                return;
            }
        }
        throw new AssertionError("the value is not there");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pt", "npz"})
    void a_flipped_bit_is_refused_however_the_values_are_read(String format) throws IOException {
        Path path = file(format);
        damage(path);
        try (TensorFile file = TensorFiles.open(path)) {
            assertThat(file.floats("b")).hasSize(1);
            assertThatThrownBy(() -> file.floats("w"))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                    .hasMessageContaining(path.toString())
                    .hasMessageContaining("the checksum of its entry ")
                    .hasMessageContaining("fetch or copy it again");
            assertThatThrownBy(() -> file.floats("w", 0, 10)).hasMessageContaining("checksum");
        }
        try (TensorFile file = TensorFiles.open(path)) {
            assertThat(file.floats("w", 10, 5)).as("not at its end yet").startsWith(10, 11);
            assertThatThrownBy(() -> file.floats("w", 5, 5)).as("out of order").hasMessageContaining("checksum");
        }
        try (TensorFile file = TensorFiles.open(path)) {
            assertThatThrownBy(() -> file.floats("w", COUNT - 1, 1)).hasMessageContaining("checksum");
        }
        try (TensorFile file = TensorFiles.open(path)) {
            assertThatThrownBy(file::verify).hasMessageContaining("checksum");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pt", "npz"})
    void whole_files_are_read_in_any_order(String format) {
        try (TensorFile file = TensorFiles.open(file(format))) {
            assertThat(file.floats("w", 30_000, 2)).containsExactly(30_000, 30_001);
            assertThat(file.floats("w", 20, 2)).containsExactly(20, 21);
            assertThat(file.floats("w")[COUNT - 1]).isEqualTo(COUNT - 1);
            file.verify();
            assertThat(file.floats("w", 7, 1)).containsExactly(7);
        }
    }

    @Test
    void bytes_that_are_read_in_order_are_read_once() throws IOException {
        byte[] content = new byte[300_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31);
        }
        CRC32 sum = new CRC32();
        sum.update(content, 1000, 200_000);
        long[] asked = new long[1];
        SeekableByteChannel counting = new SeekableInMemoryByteChannel(content) {
            @Override
            public int read(ByteBuffer target) throws IOException {
                int count = super.read(target);
                asked[0] += count;
                return count;
            }
        };
        try (RandomAccess access = new RandomAccess(Path.of("counted"), counting)) {
            SummedBytes summed = new SummedBytes(access, "e", 1000, 200_000, sum.getValue());
            for (int at = 0; at < 200_000; at += 50_000) {
                summed.read(1000 + at, ByteBuffer.allocateDirect(50_000));
            }
            summed.finish();
            assertThat(asked[0]).isEqualTo(200_000);

            asked[0] = 0;
            SummedBytes part = new SummedBytes(access, "e", 1000, 200_000, sum.getValue());
            part.read(101_000, ByteBuffer.allocate(10));
            part.finish();
            assertThat(asked[0])
                    .as("the part before, the part, the part behind")
                    .isEqualTo(200_000);
        }
    }

    @Test
    void an_entry_that_was_written_without_a_checksum_is_read() throws IOException {
        byte[] content = {1, 2, 3};
        try (RandomAccess access = new RandomAccess(Path.of("unsummed"), new SeekableInMemoryByteChannel(content))) {
            ByteBuffer target = ByteBuffer.allocate(3);
            new SummedBytes(access, "e", 0, 3, 0).read(0, target);
            assertThat(target.array()).containsExactly(1, 2, 3);
        }
    }
}
