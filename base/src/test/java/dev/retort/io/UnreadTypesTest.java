package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors whose values are not read are listed, and those beside them are read. */
class UnreadTypesTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"C64, 8", "F8_E8M0, 1", "F4, 1", "TYPE_OF_TOMORROW, 3"})
    void of_safetensors(String type, int size) throws IOException {
        byte[] json = ("{\"odd\":{\"dtype\":\"" + type + "\",\"shape\":[2],\"data_offsets\":[0," + 2 * size
                        + "]},\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" + 2 * size + ","
                        + (2 * size + 4) + "]}}")
                .getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 2 * size + 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).position(8 + json.length + 2 * size);
        Path file = Files.write(
                folder.resolve("a.safetensors"), bytes.putFloat(1.5f).array());
        try (TensorFile read = TensorFiles.open(file)) {
            requireUnread(read, "odd", type, 2L * size, 2);
            assertThat(read.floats("w")).containsExactly(1.5f);
        }
    }

    private static void requireUnread(TensorFile file, String name, String type, long bytes, long... shape) {
        TensorEntry entry = file.entry(name);
        assertThat(entry.readable()).isFalse();
        assertThat(entry.type().name()).isEqualTo(type);
        assertThat(entry.byteCount()).isEqualTo(bytes);
        assertThat(entry.shape()).containsExactly(shape);
        assertThatThrownBy(() -> file.floats(name))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("'" + name + "' of " + file.path())
                .hasMessageContaining("values of type " + type + " are not supported");
        assertThatThrownBy(() -> file.read(name, 0, ByteBuffer.allocate(1))).hasMessageContaining("not supported");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '!', quoteCharacter = '~', textBlock = """
            '<U5'                                          ! <U5
            '|S3'                                          ! |S3
            '<c8'                                          ! <c8
            '<M8[ns]'                                      ! <M8[ns]
            '|O'                                           ! |O
            '|V1'                                          ! |V1
            [('a', '<f4'), ('b', '<i4', (2, 3))]           ! [('a', '<f4'), ('b', '<i4', (2, 3))]
            [('a', [('x', '<f4'), ('y', '<f4')])]          ! [('a', [('x', '<f4'), ('y', '<f4')])]
            """)
    void of_npy_and_npz(String descr, String type) throws IOException {
        byte[] odd = npy(descr, "2", 24);
        Path npz = folder.resolve("a.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(npz))) {
            stored(zip, "odd.npy", odd);
            zip.setMethod(ZipOutputStream.DEFLATED);
            zip.putNextEntry(new ZipEntry("small.npy"));
            zip.write(odd);
            stored(zip, "w.npy", npy("'<f4'", "1", 4));
        }
        try (TensorFile read = TensorFiles.open(npz)) {
            requireUnread(read, "odd", type, 24, 2);
            requireUnread(read, "small", type, 24, 2);
            assertThat(read.floats("w")).containsExactly(0);
            read.verify();
        }
        try (NpzFile read = NpzFile.open(npz)) {
            assertThatThrownBy(() -> read.array("odd"))
                    .hasMessageContaining("its array 'odd': its element type '" + type + "' is not supported")
                    .hasMessageNotContaining("damaged");
        }
        Path npy = Files.write(folder.resolve("a.npy"), odd);
        try (TensorFile read = TensorFiles.open(npy)) {
            assertThat(read.entry("").type().name()).isEqualTo(type);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"'|V2'", "'<V2'", "'>V2'"})
    void two_bytes_without_a_type_are_how_numpy_stores_bfloat16(String descr) throws IOException {
        byte[] bytes = npy(descr, "2", 4);
        bytes[bytes.length - 3] = 0x3f; // 0x3f80 is 1, little-endian whatever is said
        bytes[bytes.length - 4] = (byte) 0x80;
        bytes[bytes.length - 1] = (byte) 0xc0; // 0xc000 is -2
        try (TensorFile read = TensorFiles.open(Files.write(folder.resolve("a.npy"), bytes))) {
            assertThat(read.entry("").dtype()).isEqualTo(Dtype.BF16);
            assertThat(read.floats("")).containsExactly(1, -2);
        }
        assertThat(NpyArray.read(folder.resolve("a.npy")).floats()).containsExactly(1, -2);
    }

    private static byte[] npy(String descr, String length, int bytes) {
        byte[] text = ("{'descr': " + descr + ", 'fortran_order': False, 'shape': (" + length + ",), }\n")
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(10 + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 0);
        return file.putShort((short) text.length).put(text).array();
    }

    @Test
    void of_torch_pickles() throws IOException {
        // complex, quantised, a float8 without a storage of its own, sparse, on no device
        String quantiser = "ctorch~per_tensor_affine~G^3f^f0^00^00^00^00^00^00K^00^87";
        String values = view("_rebuild_tensor_v2", "FloatStorage", 2, "K^02^85", "K^01^85", "^89N");
        String indices = view("_rebuild_tensor_v2", "LongStorage", 2, "K^01K^02^86", "K^02K^01^86", "^89N");
        String layout = "ctorch.serialization~_get_layout~" + text("torch.sparse_coo") + "^85R";
        Path file = torch("(" + text("c")
                + view("_rebuild_tensor_v2", "ComplexFloatStorage", 2, "K^02^85", "K^01^85", "^89N")
                + text("q")
                + view("_rebuild_qtensor", "QInt8Storage", 4, "K^02K^02^86", "K^02K^01^86", quantiser + "^89N")
                + text("f")
                + view("_rebuild_tensor_v3", "UntypedStorage", 3, "K^03^85", "K^01^85", "^89Nctorch~float8_e8m0fnu~")
                + text("s") + "ctorch._utils~_rebuild_sparse_tensor~" + layout + "(" + indices + values
                + "ctorch~Size~K^05^85^85R^88t^86R"
                + text("m")
                + "ctorch._utils~_rebuild_meta_tensor_no_storage~(ctorch~float32~K^07K^01^86K^01K^01^86^89tR"
                + text("w") + values + "u");
        try (TensorFile read = TensorFiles.open(file)) {
            requireUnread(read, "c", "complex64", 16, 2);
            requireUnread(read, "q", "qint8", 4, 2, 2);
            requireUnread(read, "f", "float8_e8m0fnu", 3, 3);
            requireUnread(read, "s", "sparse", 24, 5);
            requireUnread(read, "m", "meta", 0, 7, 1);
            assertThat(read.floats("w")).containsExactly(0, 0);
        }
    }

    @Test
    void a_view_that_repeats_its_storage_is_read_up_to_a_size() throws IOException {
        String start = "(" + text("w");
        try (TensorFile read = TensorFiles.open(torch(start
                + view("_rebuild_tensor_v2", "FloatStorage", 3, "K^02K^04K^03^87", "K^00K^00K^01^87", "^89N") + "u"))) {
            assertThat(read.entry("w").shape()).containsExactly(2, 4, 3);
            assertThat(read.floats("w")).hasSize(24).containsOnly(0);
        }
        String large = "J^00^00^00^10";
        Path file =
                torch(start + view("_rebuild_tensor_v2", "FloatStorage", 1, large + "^85", "K^00^85", "^89N") + "u");
        assertThatThrownBy(() -> TensorFiles.open(file))
                .hasMessageContaining("repeats its storage of 1 elements until they are 1073741824 bytes")
                .hasMessageEndingWith("save a clone of it, expanded views could claim any size");
    }

    /** Pickle instructions as text: {@code ^xx} is a byte, {@code ~} a newline. */
    private static String view(String function, String storage, int count, String shape, String strides, String rest) {
        return "ctorch._utils~" + function + "~((" + text("storage") + "ctorch~" + storage + "~" + text(storage)
                + text("cpu") + String.format("K^%02xtQK^00", count) + shape + strides + rest + "tR";
    }

    private static String text(String text) {
        return String.format("X^%02x^00^00^00%s", text.length(), text);
    }

    private Path torch(String dictionary) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        String instructions = "^80^02}" + dictionary + ".";
        for (int i = 0; i < instructions.length(); i++) {
            char c = instructions.charAt(i);
            if (c == '^') {
                pickle.write(Integer.parseInt(instructions.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                pickle.write(c == '~' ? '\n' : c);
            }
        }
        Path file = folder.resolve("a.pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            stored(zip, "a/data.pkl", pickle.toByteArray());
            for (String storage :
                    new String[] {"FloatStorage", "LongStorage", "ComplexFloatStorage", "QInt8Storage", "UntypedStorage"
                    }) {
                stored(zip, "a/data/" + storage, new byte[16]);
            }
        }
        return file;
    }

    private static void stored(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(sum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
