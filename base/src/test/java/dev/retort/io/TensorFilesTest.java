package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorFilesTest {
    @TempDir
    Path folder;

    private SafetensorsWriter four() {
        return new SafetensorsWriter()
                .add("a", new long[] {4}, new float[] {1, 2, 3, 4})
                .add("b", new long[] {2}, new float[] {5, 6})
                .add("c", new long[] {8}, new float[] {7, 8, 9, 10, 11, 12, 13, 14})
                .add("d", new long[] {1}, new float[] {15});
    }

    @Test
    void shards_are_cut_where_they_grow_too_large_and_read_as_one() throws IOException {
        four().writeShards(folder, "model", 24);
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder(
                        "model-00001-of-00003.safetensors",
                        "model-00002-of-00003.safetensors",
                        "model-00003-of-00003.safetensors",
                        "model.safetensors.index.json");
        assertThat(Files.readString(folder.resolve("model.safetensors.index.json")))
                .startsWith("{\"metadata\":{\"total_size\":60},\"weight_map\":{\"a\":\"model-00001-of-00003");
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.entries().keySet()).containsExactlyInAnyOrder("a", "b", "c", "d");
            assertThat(file.floats("b")).containsExactly(5, 6);
            assertThat(file.floats("c")[7]).isEqualTo(14);
            assertThat(file.floats("d")).containsExactly(15);
        }
    }

    @Test
    void what_fits_is_one_file_without_an_index() {
        four().writeShards(folder, "model", 60);
        assertThat(folder.toFile().list()).containsExactly("model.safetensors");
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.entries()).hasSize(4);
        }
    }

    @Test
    void a_missing_shard_is_named() throws IOException {
        four().writeShards(folder, "model", 24);
        Files.delete(folder.resolve("model-00002-of-00003.safetensors"));
        assertThatThrownBy(() -> TensorFiles.open(folder))
                .hasMessageContaining("model-00002-of-00003.safetensors that it names is missing");
        Files.delete(folder.resolve("model.safetensors.index.json"));
        assertThatThrownBy(() -> TensorFiles.open(folder))
                .hasMessageContaining("model.safetensors.index.json is missing");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {"weight_map":{"a":"../x.safetensors"}}                         | leaves the folder
            {"weight_map":{"a":".."}}                                       | leaves the folder
            {"weight_map":{"a":"b\\u0000c"}}                                | leaves the folder or is not a file name
            {"weight_map":{"a":Infinity}}                                   | line 1, column 20: Infinity is not a value in JSON
            {"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}    | not a JSON index
            {"weight_map":{"a":"one.safetensors.index.json"}}               | names one.safetensors.index.json, which is not a file
            {"weight_map":{"a":"."}}                                        | names ., which is not a file of weights
            {"weight_map":{"a":"sub"}}                                      | names sub, which is not a file of weights
            {"weight_map":{"a":7}}                                          | is not a name
            {"weight_map":{"z":"one.safetensors"}}                          | 'z' is in one.safetensors, which does not hold it
            {"weight_map":{}}                                               | has no 'weight_map'
            [                                                               | not a JSON index
            """)
    void a_wrong_index_is_refused_with_its_reason(String json, String reason) throws IOException {
        four().write(folder.resolve("one.safetensors"));
        Files.createDirectory(folder.resolve("sub"));
        Path index = Files.writeString(folder.resolve("one.safetensors.index.json"), json);
        assertThatThrownBy(() -> TensorFiles.open(index))
                .hasMessageContaining(index.toString())
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            version https://git-lfs.github.com/spec/v1 | Git LFS pointer
            <!DOCTYPE html>                            | web page
            Hello there, this is text                  | neither safetensors nor a torch pickle nor npz
            ''                                         | it is empty
            """)
    void what_is_no_weights_is_told_apart(String content, String reason) throws IOException {
        Path file = Files.writeString(folder.resolve("x.safetensors"), content);
        assertThatThrownBy(() -> TensorFiles.open(file)).hasMessageContaining(reason);
        assertThatThrownBy(() -> TensorFiles.open(folder.resolve("none")))
                .hasMessageContaining("there is no such file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pt", "npz"})
    void a_zip_that_lost_its_end_is_said_to_be_cut_off(String format) throws IOException {
        Path file = folder.resolve("cut." + format);
        if (format.equals("pt")) {
            new TorchWriter()
                    .add("w", Dtype.U8, new long[] {5000}, out -> out.write(ByteBuffer.allocate(5000)))
                    .write(file);
        } else {
            NpzWriter.write(file, writer -> writer.add("w", new long[] {2000}, new float[2000]));
        }
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 4321));
        assertThatThrownBy(() -> TensorFiles.open(file))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessage("cannot read " + file + ": it is cut off: after 4321 bytes the list that ends every zip is"
                        + " missing; fetch or copy it again");
    }

    @Test
    void whatever_is_wrong_with_an_npz_of_weights_is_of_one_kind() throws IOException {
        Path file = folder.resolve("a.npz");
        NpzWriter.write(file, writer -> writer.add("w", new long[] {100}, new float[100]));
        byte[] good = Files.readAllBytes(file);
        int refused = 0;
        for (int at = 0; at < good.length; at++) {
            byte[] bytes = good.clone();
            bytes[at] ^= 0x41;
            Files.write(file, bytes);
            try (TensorFile read = TensorFiles.open(file)) {
                read.verify();
            } catch (RetortException e) {
                refused++;
                assertThat(e.kind()).as("byte " + at).isEqualTo(Kind.CHECKPOINT);
                assertThat(e)
                        .hasMessageStartingWith("cannot read " + file + ": ")
                        .hasMessageContaining("; ");
            }
        }
        // dates, versions and the like do not matter
        assertThat(refused).isBetween(good.length * 3 / 4, good.length - 1);
    }

    @Test
    void a_file_that_may_not_be_read_is_named_once() throws IOException {
        Path loop = folder.resolve("loop.pt");
        Path back = folder.resolve("back.pt");
        Files.createSymbolicLink(loop, back);
        Files.createSymbolicLink(back, loop);
        assertThatThrownBy(() -> TensorFiles.open(loop))
                .isInstanceOf(RetortException.class)
                .hasMessageStartingWith("cannot read " + loop + ": ")
                .satisfies(e -> assertThat(e.getMessage().indexOf("loop.pt"))
                        .isEqualTo(e.getMessage().lastIndexOf("loop.pt")));
    }

    @Test
    void a_folder_with_several_files_asks_which_and_safetensors_go_before_pickles() throws IOException {
        assertThatThrownBy(() -> TensorFiles.open(folder)).hasMessageContaining("it holds no weights");
        four().write(folder.resolve("b.safetensors"));
        Files.writeString(folder.resolve("a.bin"), "not looked at");
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.path()).isEqualTo(folder.resolve("b.safetensors"));
        }
        four().write(folder.resolve("c.safetensors"));
        assertThatThrownBy(() -> TensorFiles.open(folder))
                .hasMessageContaining("2 files of weights, b.safetensors and");
    }

    @ParameterizedTest
    @CsvSource({
        "w.safetensors, ._w.safetensors", // as macOS leaves on other systems' disks
        "w.safetensors, w.fp16.safetensors",
        "w.safetensors, w.fp16.bin",
        "pytorch_model.bin, model.fp16.safetensors",
        "w.safetensors, w.safetensors.index.fp16.json",
        "w.safetensors, w.fp16-00001-of-00002.safetensors",
        "w.bf16.safetensors, .w.safetensors",
        "diffusion_pytorch_model.bin, sdxl_vae.safetensors",
        "model.safetensors, optimizer.bin",
        "W.SAFETENSORS, notes.txt"
    })
    void of_a_folder_the_plain_weights_are_taken(String taken, String beside) throws IOException {
        four().write(folder.resolve(taken));
        Files.writeString(folder.resolve(beside), "not looked at");
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.path()).isEqualTo(folder.resolve(taken));
        }
    }

    @Test
    void a_second_name_of_the_same_file_is_no_second_file_and_a_link_that_leads_nowhere_is_named() throws IOException {
        four().write(folder.resolve("b.safetensors"));
        Files.createSymbolicLink(folder.resolve("c.safetensors"), Path.of("b.safetensors"));
        Files.createLink(folder.resolve("d.safetensors"), folder.resolve("b.safetensors"));
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.entries()).hasSize(4);
        }
        Path gone = Files.createDirectory(folder.resolve("gone"));
        Files.createSymbolicLink(gone.resolve("w.safetensors"), Path.of("../blobs/1"));
        assertThatThrownBy(() -> TensorFiles.open(gone))
                .hasMessageContaining("w.safetensors: it is a link to ../blobs/1, which is not there");
    }

    @Test
    void a_variant_in_shards_is_read_where_there_is_no_other() throws IOException {
        four().writeShards(folder, "w", 24);
        Files.move(folder.resolve("w.safetensors.index.json"), folder.resolve("w.safetensors.index.fp16.json"));
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.entries()).hasSize(4);
        }
    }

    @Test
    void a_tensor_beyond_2_gib_and_what_lies_behind_it_is_read_and_mapped_in_parts() throws IOException {
        Path file = folder.resolve("large.safetensors");
        long large = 3L << 30;
        byte[] json = ("{\"large\":{\"dtype\":\"U8\",\"shape\":[" + large + "],\"data_offsets\":[0," + large
                        + "]},\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + large + "," + (large + 8)
                        + "]}}  ")
                .getBytes(StandardCharsets.US_ASCII);
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            ByteBuffer head = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
            out.write(head.putLong(json.length).put(json).flip());
            long data = out.position();
            ByteBuffer tail = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN);
            out.write(tail.put((byte) 42).putFloat(1.5f).putFloat(-2).flip(), data + large - 1);
        }
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.floats("w")).containsExactly(1.5f, -2);
            ByteBuffer last = ByteBuffer.allocate(2);
            read.read("large", large - 2, last);
            assertThat(last.array()).containsExactly(0, 42);
            assertThat(read.data("large", large - 3, 3).get(2)).isEqualTo((byte) 42);
            assertThatThrownBy(() -> read.data("large")).hasMessageContaining("more than 2 GiB");
            assertThatThrownBy(() -> read.floats("large")).hasMessageContaining("too large for one array");
        }
        Files.delete(file);
    }

    @Test
    void every_dtype_is_decoded() throws IOException {
        byte[] eight = {0x38, (byte) 0xb8, 0x01, 0x7e, 0x7f, 0x00};
        new SafetensorsWriter()
                .add("e4m3", Dtype.F8_E4M3, new long[] {6}, () -> ByteBuffer.wrap(eight))
                .add("e5m2", Dtype.F8_E5M2, new long[] {3}, () -> ByteBuffer.wrap(new byte[] {0x3c, (byte) 0xc0, 0x7c}))
                .add("i8", Dtype.I8, new long[] {2}, () -> ByteBuffer.wrap(new byte[] {-1, 127}))
                .add("u8", Dtype.U8, new long[] {2}, () -> ByteBuffer.wrap(new byte[] {-1, 127}))
                .add("u16", Dtype.U16, new long[] {1}, () -> ByteBuffer.wrap(new byte[] {-1, -1}))
                .add("u32", Dtype.U32, new long[] {1}, () -> ByteBuffer.wrap(new byte[] {-1, -1, -1, -1}))
                .add("u64", Dtype.U64, new long[] {1}, () -> ByteBuffer.wrap(new byte[] {0, 0, 0, 0, 0, 0, 0, -128}))
                .add("bool", Dtype.BOOL, new long[] {2}, () -> ByteBuffer.wrap(new byte[] {0, 1}))
                .write(folder.resolve("all.safetensors"));
        try (TensorFile file = TensorFiles.open(folder)) {
            assertThat(file.floats("e4m3")).containsExactly(1f, -1f, 0x1p-9f, 448f, Float.NaN, 0f);
            assertThat(file.floats("e5m2")).containsExactly(1f, -2f, Float.POSITIVE_INFINITY);
            assertThat(file.floats("i8")).containsExactly(-1, 127);
            assertThat(file.floats("u8")).containsExactly(255, 127);
            assertThat(file.floats("u16")).containsExactly(65535);
            assertThat(file.floats("u32")).containsExactly(4294967296f);
            assertThat(file.floats("u64")).containsExactly(0x1p63f);
            assertThat(file.floats("bool")).containsExactly(0, 1);
        }
    }

    @Test
    void rows_of_an_array_are_read_whatever_its_layout() throws IOException {
        Path good = Path.of("src/test/resources/formats/good");
        for (String name : new String[] {"samples.npz", "samples-compressed.npz"}) {
            try (NpzFile npz = NpzFile.open(good.resolve(name))) {
                byte[] all = npz.array("arr_0").bytes();
                NpyArray rows = npz.rows("arr_0", 1, 2);
                assertThat(rows.shape()).containsExactly(2, 8, 10, 3);
                assertThat(rows.bytes()).isEqualTo(java.util.Arrays.copyOfRange(all, 240, 720));
            }
        }
        for (String array : new String[] {"fortran.npz f32", "fortran.npz u8", "big-endian.npz f4"}) {
            String[] words = array.split(" ");
            try (NpzFile npz = NpzFile.open(good.resolve(words[0]))) {
                NpyArray whole = npz.array(words[1]);
                NpyArray row = npz.rows(words[1], 2, 1);
                int bytes = row.bytes().length;
                assertThat(row.bytes())
                        .as(array)
                        .isEqualTo(java.util.Arrays.copyOfRange(whole.bytes(), 2 * bytes, 3 * bytes));
                assertThatThrownBy(() -> npz.rows(words[1], whole.shape()[0], 1))
                        .hasMessageContaining("rows ");
            }
        }
    }

    @Test
    void the_reference_shards_equal_the_single_file() {
        Path single = Shared.path("reference/dit-diffusers/transformer");
        try (TensorFile one = TensorFiles.open(single);
                TensorFile many = TensorFiles.open(single.resolveSibling("transformer-sharded"))) {
            assertThat(many.entries().keySet())
                    .containsExactlyInAnyOrderElementsOf(one.entries().keySet());
            one.entries().keySet().forEach(name -> assertThat(many.floats(name)).isEqualTo(one.floats(name)));
        }
    }
}
