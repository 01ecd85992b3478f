package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxImagesTest {
    @TempDir
    Path folder;

    @Test
    void pictures_and_labels_are_read_plain_and_gzipped_and_padded_with_black() throws IOException {
        write("train-images-idx3-ubyte", idx(new int[] {2, 2, 2}, 0, 255, 128, 1, 10, 20, 30, 40));
        write("train-labels-idx1-ubyte.gz", gzip(idx(new int[] {2}, 3, 9)));
        IdxImages images = IdxImages.open(folder, "train", 4);
        assertThat(images.size()).isEqualTo(2);
        assertThat(images.classNames()).hasSize(10).last().isEqualTo("9");
        float[] out = new float[16];
        assertThat(images.read(0, out, 0).label()).isEqualTo(3);
        assertThat(out)
                .containsExactly(
                        -1, -1, -1, -1, -1, -1, 1, -1, -1, 128 / 127.5f - 1, 1 / 127.5f - 1, -1, -1, -1, -1, -1);
        assertThat(images.read(1, out, 0).label()).isEqualTo(9);
        assertThat(IdxImages.open(folder, "train", 0).height()).isEqualTo(2);
    }

    @Test
    void wrong_folders_files_and_sizes_are_named() throws IOException {
        assertThatThrownBy(() -> IdxImages.open(folder, "train", 0))
                .hasMessageContaining("no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in " + folder);
        assertThatThrownBy(() -> IdxImages.open(folder, "dev", 0)).hasMessageContaining("expected train or test");
        write("t10k-images-idx3-ubyte", idx(new int[] {2, 2, 2}, 0, 255, 128, 1, 10, 20, 30, 40));
        write("t10k-labels-idx1-ubyte", idx(new int[] {1}, 3));
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 0)).hasMessageContaining("2 pictures but");
        write("t10k-labels-idx1-ubyte", idx(new int[] {2}, 3));
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 0)).hasMessageContaining("ends after 1 of 2");
        write("t10k-labels-idx1-ubyte", idx(new int[] {2}, 3, 4));
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 1)).hasMessageContaining("data.size is 1");
        write("t10k-images-idx3-ubyte", new byte[] {0, 0, 8, 1, 0, 0});
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 0)).hasMessageContaining("expected 2051");
        write("t10k-images-idx3-ubyte", new byte[] {0x1f, (byte) 0x8b, 0, 0});
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 0)).isInstanceOf(RetortException.class);
        write("t10k-images-idx3-ubyte", idx(new int[] {Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE}));
        assertThatThrownBy(() -> IdxImages.open(folder, "test", 0)).hasMessageContaining("it is damaged");
    }

    @Test
    void fashion_mnist_opens_with_its_class_names() {
        IdxImages images = IdxImages.open(Shared.path("data/fashion-mnist"), "test", 32);
        assertThat(images.name()).isEqualTo("fashion-mnist/test");
        assertThat(images.size()).isEqualTo(10_000);
        assertThat(images.classNames().get(9)).isEqualTo("ankle boot");
        float[] out = new float[32 * 32];
        assertThat(images.read(0, out, 0).label()).isEqualTo(9);
    }

    private void write(String name, byte[] bytes) throws IOException {
        Files.write(folder.resolve(name), bytes);
    }

    static byte[] idx(int[] shape, int... values) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(0x800 + shape.length);
        for (int dimension : shape) {
            out.writeInt(dimension);
        }
        for (int value : values) {
            out.writeByte(value);
        }
        return bytes.toByteArray();
    }

    static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write(bytes);
        }
        return zipped.toByteArray();
    }
}
