package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

class NpzTest {
    @TempDir
    Path folder;

    @Test
    void what_is_written_is_read_back_and_written_again_alike() throws IOException {
        Path file = folder.resolve("a.npz");
        NpzWriter.Body body = writer -> {
            writer.add("arr_0", NpyType.U8, new long[] {2, 2, 1, 3}, out -> {
                out.write(new byte[] {1, 2, 3, 4, 5, 6});
                out.write(new byte[] {7, 8, 9, 10, 11, (byte) 255});
            });
            writer.add("arr_1", new long[] {2}, new long[] {3, -1});
            writer.add("mu", new long[] {2}, new double[] {0.1, -2});
            writer.add("scalar", new long[0], new float[] {3.5f});
            writer.add("empty", new long[] {0, 4}, new float[0]);
        };
        NpzWriter.write(file, body);
        byte[] first = Files.readAllBytes(file);
        NpzWriter.write(file, body);
        assertThat(Files.readAllBytes(file)).isEqualTo(first);
        try (NpzFile npz = NpzFile.open(file)) {
            assertThat(npz.names()).containsExactly("arr_0", "arr_1", "mu", "scalar", "empty");
            assertThat(npz.array("arr_0").shape()).containsExactly(2, 2, 1, 3);
            assertThat(npz.array("arr_0").doubles()[11]).isEqualTo(255);
            assertThat(npz.array("arr_1").longs()).containsExactly(3, -1);
            assertThat(npz.array("mu").doubles()).containsExactly(0.1, -2);
            assertThat(npz.array("scalar").floats()).containsExactly(3.5f);
            assertThat(npz.array("empty").elements()).isZero();
            try (NpzFile.Reader reader = npz.stream("arr_0")) {
                byte[] picture = new byte[6];
                reader.read(picture);
                reader.read(picture);
                assertThat(picture).containsExactly(7, 8, 9, 10, 11, 255);
                assertThatThrownBy(() -> reader.read(picture)).hasMessageContaining("it ended early");
            }
            assertThatThrownBy(() -> npz.array("x")).hasMessageContaining("holds no array 'x', only [arr_0");
            assertThatThrownBy(() -> npz.array("mu").longs()).hasMessageContaining("expected integers");
        }
    }

    @Test
    void too_few_or_too_many_values_write_nothing() {
        Path file = folder.resolve("a.npz");
        assertThatThrownBy(() -> NpzWriter.write(
                        file, writer -> writer.add("a", NpyType.U8, new long[] {3}, out -> out.write(1))))
                .hasMessageContaining("needs 3 bytes, was given 1");
        assertThat(folder).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,), }                     ; ok
            {"shape": (2), "fortran_order": True, "descr": "<f4"}                         ; ok
            {'descr': '>f4', 'fortran_order': False, 'shape': ( 1 , 2 )}                  ; ok
            {'descr': '<f4', 'fortran_order': False, 'shape': (3,), }                     ; ends after 8 of 12 bytes
            {'descr': '<f4', 'fortran_order': False, 'shape': (1,), }                     ; goes on after its last value
            {'descr': '<f4', 'fortran_order': False, }                                    ; lacks shape
            {'descr': '<c8', 'fortran_order': False, 'shape': (1,), }                     ; element type '<c8' is not supported
            {'descr': '=f4', 'fortran_order': False, 'shape': (2,), }                     ; element type '=f4' is not supported
            {'descr': '|O', 'fortran_order': False, 'shape': (1,), }                      ; element type '|O' is not supported
            {'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }            ; element type '[('a', '<f4')]' is not supported
            {'descr': [('a', [[['<f4']]])], 'fortran_order': False, 'shape': (2,), }      ; something else than
            {'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }                         ; something else than
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}               ; something else than
            {'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }                    ; not a list of lengths
            {'descr': '<f4', 'fortran_order': False, 'shape': (2.0,), }                   ; not a list of lengths
            {'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), } ; exceeds 63 bits
            {'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999,), }   ; exceeds 63 bits
            {'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,), }            ; exceeds 2 GiB
            {'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }     ; repeated descr
            ['descr']                                                                     ; not a dictionary
            """)
    void headers_are_read_strictly(String header, String outcome) throws IOException {
        Path file = Files.write(folder.resolve("a.npy"), npy(1, header.strip(), 8));
        if (outcome.equals("ok")) {
            assertThat(NpyArray.read(file).elements()).isEqualTo(2);
        } else {
            assertThatThrownBy(() -> NpyArray.read(file))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining(outcome);
        }
    }

    @Test
    void column_major_and_big_endian_become_row_major_and_little_endian() throws IOException {
        String header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
        byte[] bytes = npy(2, header, 12);
        for (int i = 0; i < 6; i++) {
            bytes[bytes.length - 11 + 2 * i] = (byte) i;
        }
        NpyArray array = NpyArray.read(Files.write(folder.resolve("a.npy"), bytes));
        assertThat(array.longs()).containsExactly(0, 2, 4, 1, 3, 5);
    }

    @Test
    void entries_that_leave_the_folder_or_come_damaged_are_refused() throws IOException {
        byte[] good = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
        for (String name : new String[] {"../a.npy", "/a.npy", "a/../../b.npy", "c:a.npy", "a\\b.npy", ".."}) {
            Path file = zip(name, good);
            assertThatThrownBy(() -> NpzFile.open(file)).as(name).hasMessageContaining("points out of the archive");
        }
        Path file = zip("a..b/c.npy", good);
        try (NpzFile npz = NpzFile.open(file)) {
            assertThat(npz.array("a..b/c").floats()).hasSize(2);
        }
        assertThatThrownBy(() -> NpzFile.open(folder.resolve("none.npz"))).hasMessageContaining("no such file");
    }

    @Test
    void archives_with_64_bit_records_are_read_as_all_beyond_4_gib_are() throws IOException {
        byte[] array = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
        Path file = folder.resolve("large.npz");
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(file)) {
            zip.setUseZip64(Zip64Mode.Always);
            for (String name : new String[] {"a.npy", "b.npy"}) {
                zip.putArchiveEntry(new ZipArchiveEntry(name));
                zip.write(array);
                zip.closeArchiveEntry();
            }
        }
        try (NpzFile npz = NpzFile.open(file)) {
            assertThat(npz.names()).containsExactly("a", "b");
            assertThat(npz.floats("b")).containsExactly(0, 0);
        }
    }

    @Test
    void every_broken_reference_file_is_refused() throws IOException {
        int refused = 0;
        try (Stream<Path> files = Files.list(Shared.path("reference/npz/broken"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".npz")).toList()) {
                assertThatThrownBy(() -> {
                            try (NpzFile npz = NpzFile.open(file)) {
                                npz.names().forEach(npz::array);
                            }
                        })
                        .as(file.toString())
                        .isInstanceOf(RetortException.class)
                        .hasMessageContaining(file.getFileName().toString());
                refused++;
            }
        }
        assertThat(refused).isEqualTo(14);
    }

    @Test
    void every_good_reference_file_has_its_noted_contents() throws Exception {
        JsonNode files = new ObjectMapper()
                .readTree(Shared.path("reference/npz/expected.json").toFile())
                .get("files");
        int checked = 0;
        for (var file : files.properties()) {
            Path path = Shared.path("reference/npz/good/" + file.getKey());
            for (var expected : file.getValue().properties()) {
                if (file.getKey().endsWith(".npy")) {
                    check(NpyArray.read(path), expected.getValue());
                } else if (file.getKey().endsWith(".npz")) {
                    try (NpzFile npz = NpzFile.open(path)) {
                        check(npz.array(expected.getKey()), expected.getValue());
                    }
                } else {
                    continue;
                }
                checked++;
            }
        }
        assertThat(checked).isEqualTo(21);
    }

    private static void check(NpyArray array, JsonNode expected) throws NoSuchAlgorithmException {
        long[] shape = new long[expected.get("shape").size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = expected.get("shape").get(i).asLong();
        }
        assertThat(array.shape()).isEqualTo(shape);
        if (expected.has("bits")) {
            for (int i = 0; i < array.elements(); i++) {
                assertThat(array.buffer().getShort(2 * i) & 0xffff)
                        .isEqualTo(expected.get("bits").get(i).asInt());
            }
            return;
        }
        String hash =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(array.bytes()));
        assertThat(hash)
                .isEqualTo(expected.get("sha256_of_c_order_little_endian_bytes").asString());
        double sum = Arrays.stream(array.doubles()).sum();
        assertThat(sum).isCloseTo(expected.get("sum").asDouble(), org.assertj.core.api.Assertions.within(1e-3));
    }

    private Path zip(String name, byte[] content) throws IOException {
        Path file = folder.resolve("entries.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        }
        return file;
    }

    private static byte[] npy(int version, String header, int data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        out.write(text.length);
        out.write(text.length >> 8);
        if (version > 1) {
            out.write(0);
            out.write(0);
        }
        out.writeBytes(text);
        out.writeBytes(new byte[data]);
        return out.toByteArray();
    }
}
