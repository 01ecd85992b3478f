package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.config.Configs;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.CentreCrop;
import dev.retort.io.ImageDecoder;
import dev.retort.io.ImageGrid;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetsTest {
    private static final Path DRAWING = Path.of("src/test/resources/images/drawing.png");

    @TempDir
    Path folder;

    @Test
    void a_folder_gives_classes_in_alphabetical_order_and_the_published_crop() throws IOException {
        copy("zebra/1.png", "ant/10.png", "ant/deep/2.PNG", "ant/notes.txt", "ant/.hidden.png", "stray.png");
        ImageSource source = new DataConfig.Auto(folder.toString(), "train", 16, false).open();
        assertThat(source.classNames()).containsExactly("ant", "zebra");
        assertThat(source.size()).isEqualTo(3);
        float[] out = new float[source.pixels()];
        assertThat(new int[] {
                    source.read(0, out, 0).label(),
                    source.read(1, out, 0).label(),
                    source.read(2, out, 0).label()
                })
                .containsExactly(0, 0, 1);
        float[] expected = new float[source.pixels()];
        CentreCrop.square(ImageDecoder.read(DRAWING), 16).toFloats(expected, 0);
        assertThat(out).isEqualTo(expected);
        source.read(2, out, 0);
        assertThat(out).as("from memory").isEqualTo(expected);
    }

    @Test
    void split_folders_are_told_from_classes() throws IOException {
        copy("train/b/1.png", "train/a/2.png", "test/a/3.png");
        ImageSource test = new DataConfig.Folder(folder.toString(), "test", 8, false).open();
        assertThat(test.classNames()).containsExactly("a");
        assertThat(test.size()).isEqualTo(1);
        assertThat(FolderImages.open(folder, "train", 8).classNames()).containsExactly("a", "b");
        assertThatThrownBy(() -> FolderImages.open(folder, "val", 8))
                .hasMessageContaining("no folder 'val' in " + folder + ", only [test, train]");
        assertThat(FolderImages.open(folder, "train", 8).notes()).isEmpty();
    }

    @Test
    void pictures_without_class_folders_are_one_class() throws IOException {
        copy("1.png", "2.png");
        assertThat(FolderImages.open(folder, "train", 8).classNames()).containsExactly("all");
    }

    @Test
    void a_tar_is_read_like_the_folder_it_was_made_of() throws IOException {
        byte[] png = Files.readAllBytes(DRAWING);
        Map<String, byte[]> entries = new TreeMap<>();
        entries.put("set/b/1.png", png);
        entries.put("set/a/2.png", png);
        entries.put("set/LICENSE.txt", new byte[3]);
        Path plain = Files.write(folder.resolve("set.tar"), tar(entries));
        ImageSource source = new DataConfig.Auto(plain.toString(), "train", 8, false).open();
        assertThat(source.classNames()).containsExactly("a", "b");
        assertThat(source.name()).isEqualTo("set/train");
        float[] out = new float[source.pixels()];
        assertThat(source.read(1, out, 0).label()).isEqualTo(1);
        Map<String, byte[]> splits = Map.of("train/a/1.png", png, "test/b/2.png", png, "test/a/3.png", png);
        Path zipped = Files.write(folder.resolve("two.tgz"), IdxImagesTest.gzip(tar(splits)));
        assertThat(new DataConfig.Tar(zipped.toString(), "test", 8, false)
                        .open()
                        .classNames())
                .containsExactly("a", "b");
        byte[] whole = Files.readAllBytes(zipped);
        Files.write(zipped, Arrays.copyOf(whole, whole.length / 2));
        assertThatThrownBy(() -> TarImages.open(zipped, "train", 8))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot read the archive " + zipped);
    }

    @Test
    void cifar_records_are_read_across_files() throws IOException {
        byte[] two = new byte[2 * 3073];
        two[0] = 3;
        two[3073] = 9;
        two[3074 + 1024] = (byte) 255;
        Files.write(folder.resolve("data_batch_1.bin"), two);
        Files.write(folder.resolve("data_batch_2.bin.gz"), IdxImagesTest.gzip(Arrays.copyOf(two, 3073)));
        Files.write(folder.resolve("test_batch.bin"), Arrays.copyOf(two, 3073));
        Files.write(folder.resolve("train-labels.bin"), new byte[5]);
        ImageSource source = new DataConfig.Auto(folder.toString(), "train", 32, false).open();
        assertThat(source.size()).isEqualTo(3);
        float[] out = new float[3072];
        assertThat(source.read(1, out, 0).label()).isEqualTo(9);
        assertThat(out[1024]).as("first green value").isEqualTo(1);
        assertThat(out[0]).isEqualTo(-1);
        assertThat(source.read(2, out, 0).label()).isEqualTo(3);
        assertThat(CifarImages.open(folder, "test").size()).isEqualTo(1);
        assertThatThrownBy(() -> new DataConfig.Cifar10(folder.toString(), "train", 64, false).open())
                .hasMessageContaining("data.size is 64 but the pictures of " + folder + " are 32x32; set data.size=32");
        Path archive = Files.write(
                folder.resolve("cifar-10-binary.tar.gz"),
                IdxImagesTest.gzip(tar(Map.of(
                        "cifar-10-batches-bin/data_batch_1.bin",
                        two,
                        "cifar-10-batches-bin/test_batch.bin",
                        Arrays.copyOf(two, 3073),
                        "cifar-10-batches-bin/readme.html",
                        new byte[9]))));
        ImageSource packed = new DataConfig.Auto(archive.toString(), "train", 0, false).open();
        assertThat(packed.size()).isEqualTo(2);
        assertThat(packed.read(1, out, 0).label()).isEqualTo(9);
        two[3073] = 10;
        Files.write(folder.resolve("data_batch_1.bin"), two);
        assertThatThrownBy(() -> CifarImages.open(folder, "train")).hasMessageContaining("record 1 has the label 10");
        Files.write(folder.resolve("data_batch_1.bin"), new byte[100]);
        assertThatThrownBy(() -> CifarImages.open(folder, "train")).hasMessageContaining("no whole number of records");
    }

    @Test
    void a_damaged_picture_in_a_folder_is_skipped_by_the_loader_and_named() throws IOException {
        for (int i = 0; i < 20; i++) {
            copy("a/" + i + ".png");
        }
        Files.write(folder.resolve("a/7.png"), "no picture".getBytes(StandardCharsets.UTF_8));
        ImageSource source = FolderImages.open(folder, "train", 8);
        try (Loader loader = new Loader(source, 20, 1, 0, true, 2, 2)) {
            loader.next();
            assertThat(loader.skipped())
                    .singleElement()
                    .asString()
                    .contains(folder.resolve("a/7.png").toString());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            folders | x | train | 8  | kind is 'folders', which is not known; did you mean 'folder'?
            folder  |   | train | 8  | path is empty, expected the file or folder of the pictures
            folder  | x | train | -1 | size is -1, expected between 0 and 4096
            folder  | x |       | 8  | split is empty, expected train, test or another split folder
            """)
    void a_wrong_description_names_its_field(String kind, String path, String split, int size, String message) {
        assertThatThrownBy(() -> config(kind, path == null ? "" : path, split == null ? "" : split, size))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFIG))
                .hasMessageContaining(message);
    }

    @Test
    void missing_places_and_wrong_kinds_are_one_sentence() throws IOException {
        assertThatThrownBy(() -> open("auto", folder.resolve("none"), 8))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                .hasMessageContaining("where there is nothing (looked in " + folder.resolve("none"));
        assertThatThrownBy(() -> open("folder", folder, 8)).hasMessageContaining("no JPEG, PNG, WebP, BMP or GIF");
        assertThatThrownBy(() -> open("tar", folder, 8)).hasMessageContaining("no .tar or .tar.gz with 'train'");
        assertThatThrownBy(() -> open("cifar10", folder, 0)).hasMessageContaining("no CIFAR-10 binary files");
        Path text = Files.writeString(folder.resolve("a.txt"), "x");
        assertThatThrownBy(() -> open("auto", text, 8))
                .hasMessageContaining("expected a folder, .tar, .tar.gz or .bin");
        assertThatThrownBy(() -> open("folder", text, 8)).hasMessageContaining("a file; set it to the folder");
        copy("a/1.png");
        assertThatThrownBy(() -> open("folder", folder, 0)).hasMessageContaining("data.size is 0");
        assertThatThrownBy(() -> DataConfig.shapes(100).open()).hasMessageContaining("data.size is 100");
    }

    @Test
    void shapes_of_train_and_test_differ() {
        ImageSource train = DataConfig.shapes(0).open();
        ImageSource test = DataConfig.shapes(0).withSplit("test").open();
        float[] a = new float[train.pixels()];
        float[] b = new float[test.pixels()];
        train.read(0, a, 0);
        test.read(0, b, 0);
        assertThat(train.height()).isEqualTo(32);
        assertThat(a).isNotEqualTo(b);
    }

    @Test
    void the_shared_sets_open_and_show_what_they_should() {
        check(Shared.path("data/fashion-mnist"), "test", 32, 10_000, 10);
        check(Shared.path("data/mnist"), "test", 0, 10_000, 10);
        check(Shared.path("data/cifar10"), "train", 0, 4_000, 10);
        check(Shared.path("data/cifar10/cifar10-test-jpeg.tar.gz"), "test", 32, 10_000, 10);
        check(Shared.path("data/sign-digits/sign-digits.tar.gz"), "train", 32, 2_059, 10);
    }

    private static void check(Path path, String split, int size, long pictures, int classes) {
        ImageSource source = new DataConfig.Auto(path.toString(), split, size, false).open();
        assertThat(source.size()).as(path.toString()).isEqualTo(pictures);
        assertThat(source.classNames()).hasSize(classes);
        try (Loader loader = new Loader(source, 100, 1, 0, false, 1, 1)) {
            Batch batch = loader.next();
            assertThat(loader.skipped()).isEmpty();
            assertThat(Arrays.stream(batch.prompts().labels()).distinct().count())
                    .isGreaterThan(7);
            String look = System.getProperty("retort.look");
            if (look != null) {
                ImageGrid.of(batch.pixels(), 100, batch.channels(), batch.height(), batch.width(), 10)
                        .write(Path.of(look, source.name().replace('/', '-') + ".png"), 3);
            }
        }
    }

    private void open(String kind, Path path, int size) throws IOException {
        config(kind, path.toString(), "train", size).open();
    }

    /** As a file says it. */
    private DataConfig config(String kind, String path, String split, int size) throws IOException {
        Path file = folder.resolveSibling("data.yaml");
        Files.writeString(
                file, "data: {kind: " + kind + ", path: '" + path + "', split: '" + split + "', size: " + size + "}");
        return Configs.part(DataConfig.class, file, "data").orElseThrow();
    }

    @Test
    void shapes_may_have_the_path_that_they_once_had_to_and_only_the_kind_must_be_given() throws IOException {
        assertThat(config("shapes", "", "test", 16)).isEqualTo(new DataConfig.Shapes("test", 16, false));
        Path file = Files.writeString(folder.resolveSibling("short.yaml"), "data: {kind: shapes}");
        assertThat(Configs.part(DataConfig.class, file, "data")).hasValue(DataConfig.shapes(0));
    }

    private void copy(String... names) throws IOException {
        for (String name : names) {
            Path target = folder.resolve(name);
            Files.createDirectories(target.getParent());
            Files.copy(DRAWING, target);
        }
    }

    static byte[] tar(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            for (var named : entries.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(named.getKey());
                entry.setSize(named.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(named.getValue());
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }
}
