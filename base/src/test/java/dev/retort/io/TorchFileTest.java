package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchFileTest {
    private static final List<String> DIT = List.of("x_embedder.proj.weight");

    @TempDir
    Path folder;

    @Test
    void what_is_written_is_read_back() {
        Path file = folder.resolve("a.pt");
        new TorchWriter()
                .add("w", Dtype.F32, new long[] {2, 3}, out -> out.write(floats(1, 2, 3, 4, 5, 6)))
                .add("deep.b", Dtype.BOOL, new long[] {2}, out -> out.write(ByteBuffer.wrap(new byte[] {1, 0})))
                .add("scalar", Dtype.F32, new long[0], out -> out.write(floats(7)))
                .add("conv", Dtype.F32, new long[] {1, 2, 1, 1}, out -> out.write(floats(8, 9)))
                .write(file);
        try (TorchFile read = TorchFile.open(file)) {
            assertThat(read.entries().keySet()).containsExactly("w", "deep.b", "scalar", "conv");
            assertThat(read.floats("w")).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(read.floats("deep.b")).containsExactly(1, 0);
            assertThat(read.floats("scalar")).containsExactly(7);
            assertThat(read.entry("conv").shape()).containsExactly(1, 2, 1, 1);
        }
        assertThatThrownBy(() -> new TorchWriter().add("f8", Dtype.F8_E4M3, new long[1], out -> {}))
                .hasMessageContaining("no typed storage of F8_E4M3");
        assertThatThrownBy(() -> new TorchWriter()
                        .add("w", Dtype.F32, new long[] {3}, out -> out.write(floats(1)))
                        .write(folder.resolve("b.pt")))
                .hasMessageContaining("needs 12 bytes, was given 4");
    }

    @Test
    void the_pickle_that_is_written_equals_torchs_own_byte_for_byte_and_storages_are_aligned() throws IOException {
        Path original = Shared.path("reference/dit-facebook/weights/bare.pt");
        Path copy = folder.resolve("copy.pt");
        try (TorchFile read = TorchFile.open(original)) {
            TorchWriter writer = new TorchWriter();
            read.entries()
                    .forEach((name, entry) -> writer.add(name, entry.dtype(), entry.shape(), out -> {
                        ByteBuffer bytes = ByteBuffer.allocate((int) entry.byteCount());
                        read.read(name, 0, bytes);
                        out.write(bytes.flip());
                    }));
            writer.write(copy);
            try (TorchFile again = TorchFile.open(copy)) {
                for (String name : read.entries().keySet()) {
                    assertThat(again.floats(name)).as(name).isEqualTo(read.floats(name));
                }
            }
        }
        assertThat(entry(copy, "copy/data.pkl")).isEqualTo(entry(original, "bare/data.pkl"));
        assertThat(entry(copy, "copy/byteorder")).isEqualTo(entry(original, "bare/byteorder"));
        try (RandomAccess bytes = RandomAccess.open(copy)) {
            assertThat(new Archive(bytes).entries().values())
                    .allSatisfy(e -> assertThat(e.getDataOffset() % 64).isZero());
        }
    }

    private static byte[] entry(Path file, String name) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(name);
            return zip.getInputStream(entry).readAllBytes();
        }
    }

    @Test
    void every_form_of_the_same_weights_reads_alike() {
        Path weights = Shared.path("reference/dit-facebook/weights");
        try (TensorFile plain = TensorFiles.open(weights.resolve("model.safetensors"))) {
            for (String name :
                    List.of("bare.pt", "legacy.pt", "train.pt", "module-prefix.pt", "module-prefix.safetensors")) {
                try (StateDict dict = StateDict.of(TensorFiles.open(weights.resolve(name)), DIT)) {
                    assertThat(dict.entries().keySet())
                            .as(name)
                            .containsExactlyInAnyOrderElementsOf(plain.entries().keySet());
                    for (String key : plain.entries().keySet()) {
                        assertThat(dict.entry(key).shape())
                                .containsExactly(plain.entry(key).shape());
                        assertThat(dict.floats(key)).as(name + " " + key).isEqualTo(plain.floats(key));
                    }
                }
            }
            for (String type : List.of("bf16", "fp16")) {
                try (TensorFile pickle = TensorFiles.open(weights.resolve(type + ".pt"));
                        TensorFile safe = TensorFiles.open(weights.resolve(type + ".safetensors"))) {
                    for (String key : plain.entries().keySet()) {
                        assertThat(pickle.entry(key).dtype()).isEqualTo(type.equals("bf16") ? Dtype.BF16 : Dtype.F16);
                        assertThat(pickle.floats(key)).isEqualTo(safe.floats(key));
                    }
                }
            }
        }
    }

    @Test
    void a_training_file_says_what_was_taken_and_how_it_was_trained() {
        Path train = Shared.path("reference/dit-facebook/weights/train.pt");
        try (StateDict dict = StateDict.of(TensorFiles.open(train), DIT)) {
            assertThat(dict.notes()).hasSize(1);
            assertThat(dict.notes().get(0)).startsWith("took the 42 tensors of 'ema' of ");
            assertThat(dict.metadata().keySet()).anyMatch(key -> key.startsWith("args."));
            assertThat(dict.metadata()).containsKey("opt.param_groups.0.lr");
        }
        try (StateDict dict = StateDict.of(TensorFiles.open(train.resolveSibling("module-prefix.pt")), DIT)) {
            assertThat(dict.notes()).containsExactly("took the 42 tensors of 'model.module' of 42");
        }
    }

    @Test
    void published_files_of_old_torch_versions_equal_their_safetensors() {
        Path weights = Shared.path("weights");
        for (String name : List.of(
                "ddpm-mnist-cnn/ddpm_mnist_starter.pth",
                "ddpm-unet-28/ddpm_fashion.pt",
                "resnet-cifar10/resnet20-12fca82f.th",
                "lpips-heads/alex.pth",
                "taesd/taef2_encoder.pth")) {
            Path safe = weights.resolve(name.replaceFirst("\\.[a-z]+$", ".safetensors"));
            try (TensorFile expected = TensorFiles.open(safe);
                    StateDict pickle = StateDict.of(
                            TensorFiles.open(weights.resolve(name)),
                            expected.entries().keySet())) {
                for (String key : expected.entries().keySet()) {
                    assertThat(pickle.floats(key)).as(name + " " + key).isEqualTo(expected.floats(key));
                }
            }
        }
    }

    /** Instructions as text: letters stand for themselves, {@code ^xx} for a byte, {@code ~} for a newline. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ^80^02cposix~system~X^02^00^00^00ls^85R.               | asks for posix.system
            ^80^02iposix~system~.                                  | asks for posix.system
            ^80^04^8c^05posix^8c^06system^93.                      | asks for posix.system
            ^80^02cbuiltins~object~)R.                             | only a name here
            ^80^02ccopyreg~_reconstructor~ctorch~FloatStorage~N^86R. | only a name here
            ^80^02]^85R.                                           | where others are expected
            ^80^02X^ff^ff^ff^ffab.                                 | claims 4294967295 bytes
            ^80^02B^00^00^00^70ab.                                 | claims 1879048192 bytes
            ^80^02^8b^00^00^00^70ab.                               | an integer of 1879048192 bytes
            ^80^02h^07.                                            | recalls what it never kept
            ^80^02}]K^01s.                                         | a list or a tensor as a key
            ^80^02]q^00h^00a.                                      | too deep
            ^80^02t.                                               | closes a list that it did not open
            ^80^02(.                                               | more values than it put
            ^80^02K^01K^02.                                        | left over
            ^80^02                                                 | ends early
            ^80^01K^01.                                            | protocol 1
            ^80^02S'a'~.                                           | the instruction 0x53
            ^80^02^82^01.                                          | the instruction 0x82
            """)
    void a_pickle_that_is_no_data_is_refused_with_its_reason(String instructions, String reason) {
        assertThatThrownBy(() -> unpickle(instructions.strip()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(reason);
    }

    private static void unpickle(String instructions) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < instructions.length(); i++) {
            char c = instructions.charAt(i);
            if (c == '^') {
                bytes.write(Integer.parseInt(instructions.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(c == '~' ? '\n' : c);
            }
        }
        PickleInput in = new PickleInput(new ByteArrayInputStream(bytes.toByteArray()), bytes.size());
        PickleTree.of(new Unpickler(in, new PickleNames()).read());
    }

    @Test
    void lists_that_hold_each_other_many_times_over_end() {
        // Each of 30 lists holds the one before twice: 2^30 leaves.
        StringBuilder bomb = new StringBuilder("^80^02(]q^00");
        for (int i = 0; i < 30; i++) {
            bomb.append(String.format("(h^%02xh^%02xlq^%02x", i, i, i + 1));
        }
        assertThatThrownBy(() -> unpickle(bomb + "l."))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("too many");
    }

    @Test
    void a_refusal_is_of_kind_checkpoint_and_names_the_file() throws IOException {
        Path file = Files.write(folder.resolve("x.pt"), "\u0080\u0002K\u0001.".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> TensorFiles.open(file))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining(file.toString())
                .hasMessageContaining("not one of torch's");
    }

    private static ByteBuffer floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }
}
