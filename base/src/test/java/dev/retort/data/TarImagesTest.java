package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarImagesTest {
    private static final Path DRAWING = Path.of("src/test/resources/images/drawing.png");

    @TempDir
    Path folder;

    @Test
    void all_archives_of_a_split_are_one_set() throws IOException {
        write("train-000.tar", "a/1.png", "b/1.png");
        write("train-001.tar", "a/1.png", "c/3.png");
        write("TEST-000.TAR", "a/4.png");
        write("other.tar", "d/5.png");
        ImageSource train = open("train");
        assertThat(train.classNames()).containsExactly("a", "b", "c");
        assertThat(train.size()).as("two archives have an a/1.png").isEqualTo(4);
        assertThat(train.name()).isEqualTo(folder.getFileName() + "/train");
        assertThat(train.notes()).singleElement().asString().contains("other.tar");
        assertThat(train.hasTestSplit()).isTrue();
        float[] out = new float[train.pixels()];
        for (int i = 0; i < 4; i++) {
            assertThat(train.read(i, out, 0).label()).isEqualTo(new int[] {0, 0, 1, 2}[i]);
        }
        assertThat(open("test").size()).isEqualTo(1);
        assertThatThrownBy(() -> open("val")).hasMessageContaining("no .tar or .tar.gz with 'val'");
    }

    @Test
    void archives_whose_names_tell_no_split_are_read_together() throws IOException {
        write("000.tar", "a/1.png");
        write("001.tar", "b/2.png");
        Files.createDirectories(folder.resolve(".cache"));
        ImageSource source = open("train");
        assertThat(source.classNames()).containsExactly("a", "b");
        assertThat(source.hasTestSplit()).isFalse();
    }

    @Test
    void webdataset_files_give_classes_and_captions() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (int i = 0; i < 4; i++) {
            files.put("00" + i + ".png", Files.readAllBytes(DRAWING));
            files.put("00" + i + ".cls", ("" + (i % 2 == 0 ? 12 : 3)).getBytes(StandardCharsets.US_ASCII));
            files.put("00" + i + ".txt", ("picture " + i).getBytes(StandardCharsets.UTF_8));
        }
        Files.write(folder.resolve("shard.tar"), DatasetsTest.tar(files));
        ImageSource source = open("train");
        assertThat(source.classNames()).containsExactly("3", "12");
        float[] out = new float[source.pixels()];
        assertThat(source.read(0, out, 0).label()).isEqualTo(1);
        assertThat(source.read(3, out, 0).label()).isZero();
        assertThat(source.read(2, out, 0).caption()).isEqualTo("picture 2");
    }

    @Test
    void links_of_an_archive_are_the_files_they_lead_to() throws IOException {
        Path archive = folder.resolve("links.tar");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            link(tar, "./b/early.png", "./a/1.png", TarConstants.LF_LINK);
            file(tar, "./a/1.png");
            file(tar, "./store/0a1b2c");
            link(tar, "./b/hard.png", "./store/0a1b2c", TarConstants.LF_LINK);
            link(tar, "./b/soft.png", "../a/1.png", TarConstants.LF_SYMLINK);
            link(tar, "./b/chain.png", "soft.png", TarConstants.LF_SYMLINK);
            link(tar, "./b/gone.png", "/mnt/1.png", TarConstants.LF_SYMLINK);
            link(tar, "./b/self.png", "self.png", TarConstants.LF_SYMLINK);
        }
        Files.write(archive, bytes.toByteArray());
        ImageSource source = open("train");
        assertThat(source.classNames()).containsExactly("a", "b");
        assertThat(source.size()).isEqualTo(5);
        float[] first = new float[source.pixels()];
        source.read(0, first, 0);
        for (int i = 1; i < 5; i++) {
            float[] linked = new float[source.pixels()];
            assertThat(source.read(i, linked, 0).label()).isEqualTo(1);
            assertThat(linked).isEqualTo(first);
        }
        assertThat(source.notes())
                .anyMatch(note -> note.contains("b/gone.png, b/self.png"))
                .anyMatch(note -> note.contains("without an ending in store"));
    }

    @Test
    void splits_hidden_folders_and_names_are_read_as_in_folders() throws IOException {
        write("set.tar", "set/Train/ä/1.png", "set/Train/b/2.png", "set/Test/b/3.png", "set/Train/b/.x/4.png");
        ImageSource source = open("train");
        assertThat(source.classNames()).containsExactly("b", "ä");
        assertThat(source.size()).isEqualTo(2);
        assertThat(source.notes()).singleElement().asString().contains("set/Train/b/.x");
        write("set.tar", "bus/1.png", "train/2.png", "tram/3.png");
        assertThat(open("train").classNames()).containsExactly("bus", "train", "tram");
    }

    @Test
    void a_cut_archive_among_others_is_named() throws IOException {
        write("000.tar", "a/1.png");
        Path cut = Files.write(folder.resolve("001.tar"), new byte[700]);
        Files.write(cut, Arrays.copyOf(Files.readAllBytes(folder.resolve("000.tar")), 600));
        assertThatThrownBy(() -> open("train"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot read the archive " + cut);
    }

    @Test
    void a_cut_archive_says_where_and_which_file_was_the_last_whole_one() throws IOException {
        write("000.tar", "a/1.png", "a/2.png", "a/3.png");
        Path cut = folder.resolve("000.tar");
        byte[] whole = Files.readAllBytes(cut);
        int each = 512 + (int) ((Files.size(DRAWING) + 511) / 512 * 512);
        Files.write(cut, Arrays.copyOf(whole, 2 * each + 700));
        assertThatThrownBy(() -> open("train"))
                .hasMessage("cannot read the archive " + cut
                        + " (it is cut off inside a/3.png; the last whole file is a/2.png); fetch it again");
        Files.write(cut, Arrays.copyOf(whole, each + 100));
        assertThatThrownBy(() -> open("train"))
                .hasMessageContaining("it is cut off at byte " + (each + 100) + "; the last whole file is a/1.png");
        Files.write(cut, Arrays.copyOf(whole, 2 * each));
        assertThat(open("train").size()).as("only the end mark is missing").isEqualTo(2);
        whole[each + 5] ^= 1;
        Files.write(cut, whole);
        assertThatThrownBy(() -> open("train")).hasMessageContaining("no header of a file stands at byte " + each);
        Files.write(cut, IdxImagesTest.gzip(Arrays.copyOf(Files.readAllBytes(cut), each + 100)));
        assertThatThrownBy(() -> open("train")).hasMessageContaining("the last whole file is a/1.png");
    }

    @Test
    void long_names_of_gnu_and_posix_are_read() throws IOException {
        String name = "c".repeat(90) + "/" + "ü".repeat(120) + ".png";
        for (int mode : new int[] {TarArchiveOutputStream.LONGFILE_GNU, TarArchiveOutputStream.LONGFILE_POSIX}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
                tar.setLongFileMode(mode);
                tar.setAddPaxHeadersForNonAsciiNames(mode == TarArchiveOutputStream.LONGFILE_POSIX);
                file(tar, name);
                file(tar, "d/2.png");
            }
            Files.write(folder.resolve("long.tar"), bytes.toByteArray());
            assertThat(open("train").classNames()).containsExactly("c".repeat(90), "d");
        }
    }

    @Test
    void pictures_of_an_uncompressed_archive_stay_where_they_are() throws IOException {
        write("000.tar", "a/1.png", "a/2.png");
        ImageSource source = open("train");
        float[] out = new float[source.pixels()];
        source.read(0, out, 0);
        Files.write(folder.resolve("000.tar"), new byte[600]);
        assertThatThrownBy(() -> source.read(1, out, 0)).hasMessageContaining("became shorter");
    }

    @Test
    void captions_stand_in_json_or_on_the_lines_of_a_text() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (int i = 0; i < 5; i++) {
            files.put("00" + i + ".png", Files.readAllBytes(DRAWING));
        }
        files.put("000.json", "{\"caption\": \"a cat\", \"width\": 5}".getBytes(StandardCharsets.UTF_8));
        files.put("001.json", "{\"text\": [\"a dog\", \"one dog\"]}".getBytes(StandardCharsets.UTF_8));
        files.put("002.txt", "a fish\n\n fish \n".getBytes(StandardCharsets.UTF_8));
        files.put("003.txt", new byte[0]);
        files.put("004.json", "{\"width\": 5}".getBytes(StandardCharsets.UTF_8));
        for (boolean packed : new boolean[] {false, true}) {
            byte[] tar = DatasetsTest.tar(files);
            Files.write(folder.resolve("shard.tar"), packed ? IdxImagesTest.gzip(tar) : tar);
            ImageSource source = open("train");
            float[] out = new float[source.pixels()];
            assertThat(IntStream.range(0, 5)
                            .mapToObj(i -> source.read(i, out, 0).captions()))
                    .containsExactly(
                            List.of("a cat"),
                            List.of("a dog", "one dog"),
                            List.of("a fish", "fish"),
                            List.of(""),
                            List.of());
            assertThatThrownBy(source::requireCaptions)
                    .hasMessageContaining("1 of 5 pictures of ")
                    .hasMessageContaining("shard.tar!004.png; write one into NAME.txt");
        }
    }

    @Test
    void several_archives_are_named_by_a_pattern() throws IOException {
        for (int i = 8; i < 12; i++) {
            write(String.format("s-%03d.tar", i), "a/" + i + ".png", "b/x" + i + ".png");
        }
        assertThat(pattern("s-{008..011}.tar").size()).isEqualTo(8);
        assertThat(pattern("s-{008..009}.tar").size()).isEqualTo(4);
        assertThat(pattern("s-{008,011}.tar").classNames()).containsExactly("a", "b");
        assertThat(pattern("s-*.tar").size()).isEqualTo(8);
        assertThat(pattern("s-01?.tar").size()).isEqualTo(4);
        assertThatThrownBy(() -> pattern("s-{008..013}.tar"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("of which 2 files are not there: " + folder.resolve("s-012.tar"));
        assertThatThrownBy(() -> pattern("t-*.tar")).hasMessageContaining("which no file is named as");
        assertThatThrownBy(() -> pattern("s-{9..3}.tar")).hasMessageContaining("rising range");
    }

    @Test
    void a_resumed_run_reads_the_shards_as_one_never_stopped() throws IOException {
        write("000.tar", "a/1.png", "a/2.png", "b/3.png");
        write("001.tar", "b/4.png", "c/5.png");
        try (Loader whole = new Loader(open("train"), 12, 3, 0, true, 2, 2);
                Loader resumed = new Loader(open("train"), 4, 3, 8, true, 1, 1)) {
            Batch all = whole.next();
            Batch end = resumed.next();
            assertThat(end.prompts().labels())
                    .isEqualTo(Arrays.copyOfRange(all.prompts().labels(), 8, 12));
            assertThat(end.pixels()).isEqualTo(Arrays.copyOfRange(all.pixels(), 8 * 3 * 64, 12 * 3 * 64));
        }
    }

    private ImageSource pattern(String names) {
        return new DataConfig.Auto(folder + "/" + names, "train", 8, false).open();
    }

    private ImageSource open(String split) {
        return new DataConfig.Auto(folder.toString(), split, 8, false).open();
    }

    private void write(String archive, String... names) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : names) {
            files.put(name, Files.readAllBytes(DRAWING));
        }
        Files.write(folder.resolve(archive), DatasetsTest.tar(files));
    }

    private static void file(TarArchiveOutputStream tar, String name) throws IOException {
        byte[] png = Files.readAllBytes(DRAWING);
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(png.length);
        tar.putArchiveEntry(entry);
        tar.write(png);
        tar.closeArchiveEntry();
    }

    private static void link(TarArchiveOutputStream tar, String name, String target, byte kind) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, kind);
        entry.setLinkName(target);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }
}
