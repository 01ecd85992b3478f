package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void what_is_written_is_read_back() {
        Path file = folder.resolve("a.safetensors");
        new SafetensorsWriter()
                .metadata("note", "quoted \" and ä")
                .add("half", Dtype.F16, new long[] {2}, () -> shorts(Half.toF16(1.5f), Half.toF16(-0.1f)))
                .add("w", new long[] {2, 2}, new float[] {1, 2, 3, 4})
                .add("empty", new long[] {0, 3}, new float[0])
                .add("scalar", new long[0], new float[] {7})
                .add("brain", Dtype.BF16, new long[] {1}, () -> shorts(Half.toBf16(3.14159f)))
                .write(file);
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.metadata()).isEqualTo(Map.of("note", "quoted \" and ä"));
            assertThat(read.entries().keySet()).containsExactly("w", "empty", "scalar", "half", "brain");
            assertThat(read.entry("w").shape()).containsExactly(2, 2);
            assertThat(read.floats("w")).containsExactly(1, 2, 3, 4);
            assertThat(read.floats("empty")).isEmpty();
            assertThat(read.floats("scalar")).containsExactly(7);
            assertThat(read.floats("half")).containsExactly(1.5f, -0.099975586f);
            assertThat(read.floats("brain")).containsExactly(3.140625f);
            ByteBuffer copy = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
            read.copy("w", copy);
            assertThat(copy.flip().getFloat(12)).isEqualTo(4);
            assertThatThrownBy(() -> read.data("x")).hasMessageContaining("no tensor 'x'");
        }
    }

    @Test
    void a_wrong_number_of_bytes_or_a_name_given_twice_writes_nothing() {
        Path file = folder.resolve("a.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter().add("w", new long[] {3}, new float[] {1, 2});
        assertThatThrownBy(() -> writer.write(file)).hasMessageContaining("needs 12 bytes, was given 8");
        assertThatThrownBy(() -> writer.add("w", new long[] {1}, new float[1])).hasMessageContaining("taken");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void no_file_and_a_folder_are_refused_with_a_sentence() {
        assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none")))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> SafetensorsFile.open(folder)).hasMessageContaining("it is a folder");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            [1]                                                                  | not a JSON object
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} {}            | goes on after
            {"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}             | line 1, column 30: NaN is not a value in JSON
            {"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}}                  | dtype of 'a' is not a string
            {"a":{"shape":[2],"data_offsets":[0,8]}}                             | has no dtype
            {"a":{"dtype":"F32","data_offsets":[0,8]}}                           | has no shape
            {"a":{"dtype":"F32","shape":[2]}}                                    | no pair of data_offsets
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}                 | no pair of data_offsets
            {"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}             | something else than an integer
            {"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}              | negative number -2
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}               | ends before it begins
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}               | needs 12 bytes, has 8
            {"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}} | exceeds 63 bits
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}               | belong to no tensor
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}               | 4 bytes after the last tensor
            {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}              | it is cut off
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}} | overlaps
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | not valid JSON
            {"__metadata__":{"n":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | metadata 'n' is not a string
            """)
    void a_malformed_header_is_refused_with_its_reason(String json, String reason) throws IOException {
        Path file = Files.write(folder.resolve("bad.safetensors"), bytes(json.strip(), 8));
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(reason);
    }

    private static void readAll(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            file.entries().keySet().forEach(file::floats);
        }
    }

    @Test
    void every_broken_reference_file_is_refused_and_every_good_one_read() throws IOException {
        List<Path> broken = safetensors(Shared.path("reference/npz/broken"));
        assertThat(broken).hasSizeGreaterThan(20).allSatisfy(file -> assertThatThrownBy(() -> readAll(file))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(file.getFileName().toString()));
        for (Path file : safetensors(Shared.path("reference/npz/good"))) {
            SafetensorsFile.open(file).close();
        }
        try (SafetensorsFile file = SafetensorsFile.open(Shared.path("reference/npz/good/dtypes.safetensors"))) {
            assertThat(file.metadata()).containsEntry("note", "quoted \" and ä");
            assertThat(file.floats("bf16"))
                    .containsExactly(9f, -2.046875f, 2.109375f, -5.90625f, -3.203125f, -0.1416015625f);
            assertThat(file.floats("f16"))
                    .containsExactly(-3.443359375f, -4.671875f, 6.48046875f, -2.109375f, -0.7119140625f, 2.46875f);
            assertThat(file.floats("f64")[0]).isEqualTo((float) -2.156172275543213);
            assertThat(file.floats("name with spaces/ä")).containsExactly(0, 1, 2, 3);
            assertThat(file.floats("scalar")).containsExactly(1.5f);
            assertThat(file.data("i64").getLong(24)).isEqualTo(-9);
        }
        try (SafetensorsFile file = SafetensorsFile.open(Shared.path("reference/npz/good/header-order.safetensors"))) {
            assertThat(file.entries().keySet()).containsExactly("b", "a");
        }
    }

    @Test
    void half_precision_round_trips_every_value_and_rounds_ties_to_even() {
        for (int bits = 0; bits < 0x10000; bits++) {
            float value = Half.fromF16((short) bits);
            if (!Float.isNaN(value)) {
                assertThat(Half.toF16(value)).isEqualTo((short) bits);
            }
            float brain = Half.fromBf16((short) bits);
            if (!Float.isNaN(brain)) {
                assertThat(Half.toBf16(brain)).isEqualTo((short) bits);
            }
        }
        assertThat(Half.fromF16(Half.toF16(1 + 0x1p-11f))).isEqualTo(1);
        assertThat(Half.fromF16(Half.toF16(1 + 3 * 0x1p-11f))).isEqualTo(1 + 0x1p-9f);
        assertThat(Half.fromF16(Half.toF16(65519.9f))).isEqualTo(65504);
        assertThat(Half.fromF16(Half.toF16(65520f))).isInfinite();
        assertThat(Half.fromF16(Half.toF16(Float.NaN))).isNaN();
        assertThat(Half.fromBf16(Half.toBf16(Float.NaN))).isNaN();
    }

    private static List<Path> safetensors(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .toList();
        }
    }

    private static byte[] bytes(String json, int data) {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + header.length + data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .array();
    }

    private static ByteBuffer shorts(short... values) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asShortBuffer().put(values);
        return bytes;
    }
}
