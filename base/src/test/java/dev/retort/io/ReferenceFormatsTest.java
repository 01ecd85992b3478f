package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Files that other libraries wrote, whole and broken; expected.json and broken.json say what each holds or lacks. */
class ReferenceFormatsTest {
    private static final Path FORMATS = Path.of("src/test/resources/formats");
    private static final Map<String, Dtype> DTYPES = Map.ofEntries(
            Map.entry("float32", Dtype.F32),
            Map.entry("float64", Dtype.F64),
            Map.entry("float16", Dtype.F16),
            Map.entry("bfloat16", Dtype.BF16),
            Map.entry("int64", Dtype.I64),
            Map.entry("int32", Dtype.I32),
            Map.entry("int16", Dtype.I16),
            Map.entry("int8", Dtype.I8),
            Map.entry("uint8", Dtype.U8),
            Map.entry("uint16", Dtype.U16),
            Map.entry("bool", Dtype.BOOL),
            Map.entry(">f4", Dtype.F32),
            Map.entry(">i4", Dtype.I32));

    @Test
    void every_good_file_holds_what_is_expected_of_it() throws Exception {
        int checked = 0;
        JsonNode files = json("expected.json").get("files");
        for (Map.Entry<String, JsonNode> expected : files.properties()) {
            try (TensorFile file = TensorFiles.open(FORMATS.resolve("good").resolve(expected.getKey()))) {
                for (Map.Entry<String, JsonNode> tensor : expected.getValue().properties()) {
                    if (tensor.getKey().equals("__metadata__")) {
                        for (Map.Entry<String, JsonNode> pair :
                                tensor.getValue().properties()) {
                            assertThat(file.metadata())
                                    .containsEntry(
                                            pair.getKey(), pair.getValue().asString());
                        }
                    } else if (tensor.getValue().has("dtype")) {
                        check(file, tensor.getKey(), tensor.getValue());
                        checked++;
                    }
                }
            }
        }
        assertThat(checked).isEqualTo(62);
    }

    private static void check(TensorFile file, String name, JsonNode expected) throws NoSuchAlgorithmException {
        String what = file.path().getFileName() + ":" + name;
        TensorEntry entry = file.entry(name);
        assertThat(entry.dtype())
                .as(what)
                .isEqualTo(DTYPES.get(expected.get("dtype").asString()));
        assertThat(entry.shape()).as(what).containsExactly(longs(expected.get("shape")));
        byte[] raw = new byte[(int) entry.byteCount()];
        file.read(name, 0, ByteBuffer.wrap(raw));
        if (expected.has("sha256_of_c_order_little_endian_bytes")) {
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(raw));
            assertThat(hash)
                    .as(what)
                    .isEqualTo(expected.get("sha256_of_c_order_little_endian_bytes")
                            .asString());
        }
        if (expected.has("bits")) {
            short[] bits = new short[raw.length / 2];
            ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(bits);
            for (int i = 0; i < bits.length; i++) {
                assertThat(bits[i] & 0xffff)
                        .as(what)
                        .isEqualTo(expected.get("bits").get(i).asInt());
            }
        }
        if (expected.has("values")) {
            List<Float> flat = new ArrayList<>();
            flatten(expected.get("values"), flat);
            float[] got = file.floats(name);
            assertThat(got).as(what).hasSize(flat.size());
            for (int i = 0; i < got.length; i++) {
                assertThat(got[i]).as(what).isEqualTo(flat.get(i));
            }
        }
        // From the second value on: parts of a tensor are the same bytes as in the whole.
        int size = entry.dtype().bytes();
        if (raw.length > size) {
            byte[] part = new byte[raw.length - size];
            file.read(name, size, ByteBuffer.wrap(part));
            assertThat(part).as(what).isEqualTo(java.util.Arrays.copyOfRange(raw, size, raw.length));
        }
    }

    private static void flatten(JsonNode values, List<Float> into) {
        if (values.isArray()) {
            values.forEach(value -> flatten(value, into));
        } else {
            into.add(values.isBoolean() ? (values.asBoolean() ? 1f : 0f) : (float) values.asDouble());
        }
    }

    private static long[] longs(JsonNode array) {
        long[] values = new long[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asLong();
        }
        return values;
    }

    @Test
    void what_lies_deeper_inside_a_pickle_is_found_by_its_path() {
        for (String name : List.of("torch-zip.pt", "torch-legacy.pt")) {
            try (TensorFile file = TensorFiles.open(FORMATS.resolve("good").resolve(name))) {
                assertThat(file.floats("nested.tuple.0")).containsExactly(1, 1);
                assertThat(file.metadata())
                        .containsEntry("nested.list.1", "2.5")
                        .containsEntry("nested.list.2", "x")
                        .containsEntry("nested.list.4", "true")
                        .containsEntry("nested.tuple.1", "-3");
            }
        }
    }

    @Test
    void every_broken_file_is_refused_by_its_name_and_nothing_is_run() throws IOException {
        int refused = 0;
        JsonNode files = json("broken.json").get("files");
        for (Map.Entry<String, JsonNode> broken : files.properties()) {
            Path path = FORMATS.resolve("broken").resolve(broken.getKey());
            if (broken.getKey().equals("big-endian.pt")) {
                try (TensorFile file = TensorFiles.open(path)) {
                    assertThat(file.floats("w")).containsExactly(0, 1, 2, 3, 4, 5);
                }
                continue;
            }
            assertThatThrownBy(() -> readAll(path))
                    .as(broken.getKey() + ": " + broken.getValue().get("why").asString())
                    .isInstanceOf(RetortException.class)
                    .hasMessageContaining(broken.getKey());
            refused++;
        }
        assertThat(refused).isEqualTo(59);
        try (Stream<Path> here = Files.list(Path.of("."))) {
            assertThat(here).noneMatch(path -> path.toString().contains("reference-file-was-executed"));
        }
    }

    @Test
    void a_pickle_that_wants_to_call_something_is_refused_by_the_name_of_it() {
        Map<String, String> wanted = Map.of(
                "os-system-zip.pt", ".system",
                "os-system-legacy.pt", ".system",
                "os-system-protocol2.pkl", ".system",
                "os-system-protocol4.pkl", ".system",
                "builtins-eval-zip.pt", ".eval",
                "builtins-getattr-zip.pt", ".getattr");
        wanted.forEach((name, global) -> assertThatThrownBy(
                        () -> readAll(FORMATS.resolve("broken").resolve(name)))
                .as(name)
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("asks for ")
                .hasMessageContaining(global + ", which is not among what tensors need")
                .hasMessageContaining("nothing was run"));
    }

    private static void readAll(Path path) {
        try (TensorFile file = TensorFiles.open(path)) {
            file.entries().keySet().forEach(file::floats);
        }
    }

    private static JsonNode json(String name) {
        return JsonMapper.shared().readTree(FORMATS.resolve(name).toFile());
    }
}
