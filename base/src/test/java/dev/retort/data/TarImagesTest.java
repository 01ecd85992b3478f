package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
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
        Files.write(cut, java.util.Arrays.copyOf(Files.readAllBytes(folder.resolve("000.tar")), 600));
        assertThatThrownBy(() -> open("train"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot read the archive " + cut);
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
