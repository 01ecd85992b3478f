package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicWriteTest {
    @TempDir
    Path folder;

    @Test
    void a_file_is_created_and_replaced_and_nothing_is_left_beside_it() throws IOException {
        Path target = folder.resolve("deep/er/file.txt");
        AtomicWrite.text(target, "one");
        AtomicWrite.text(target, "two");
        assertThat(target).hasContent("two");
        assertThat(names(target.getParent())).containsExactly("file.txt");
    }

    @Test
    void a_full_disk_in_the_middle_leaves_the_old_file_and_says_so() throws IOException {
        Path target = folder.resolve("model.safetensors");
        AtomicWrite.text(target, "old");
        assertThatThrownBy(() -> AtomicWrite.file(target, channel -> {
                    channel.write(ByteBuffer.wrap(new byte[1000]));
                    throw new IOException("No space left on device");
                }))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.WRITE))
                .hasMessageContaining("cannot write " + target + ": No space left on device");
        assertThat(target).hasContent("old");
        assertThat(names(folder)).containsExactly("model.safetensors");
    }

    @Test
    void an_error_of_the_writer_itself_passes_through_and_leaves_the_old_file() throws IOException {
        Path target = folder.resolve("file");
        AtomicWrite.text(target, "old");
        assertThatThrownBy(() -> AtomicWrite.file(target, channel -> {
                    throw new IllegalStateException("boom");
                }))
                .hasMessage("boom");
        assertThat(target).hasContent("old");
        assertThat(names(folder)).containsExactly("file");
    }

    @Test
    void a_parent_that_is_a_file_is_one_clear_sentence() {
        AtomicWrite.text(folder.resolve("file"), "x");
        assertThatThrownBy(() -> AtomicWrite.text(folder.resolve("file/below"), "y"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot write " + folder.resolve("file/below"));
    }

    @Test
    void a_folder_appears_whole_and_replaces_the_old_one() throws IOException {
        Path target = folder.resolve("checkpoint");
        AtomicWrite.folder(target, into -> {
            Files.writeString(into.resolve("a"), "1");
            assertThat(target).doesNotExist();
        });
        AtomicWrite.folder(target, into -> {
            Files.createDirectories(into.resolve("sub"));
            Files.writeString(into.resolve("sub/b"), "2");
            assertThat(target.resolve("a")).hasContent("1");
        });
        assertThat(names(target)).containsExactly("sub");
        assertThat(target.resolve("sub/b")).hasContent("2");
        assertThat(names(folder)).containsExactly("checkpoint");
    }

    @Test
    void a_failing_folder_leaves_the_old_one() throws IOException {
        Path target = folder.resolve("checkpoint");
        AtomicWrite.folder(target, into -> Files.writeString(into.resolve("a"), "1"));
        assertThatThrownBy(() -> AtomicWrite.folder(target, into -> {
                    Files.writeString(into.resolve("b"), "half");
                    throw new IOException("No space left on device");
                }))
                .hasMessageContaining("No space left on device");
        assertThat(names(target)).containsExactly("a");
        assertThat(names(folder)).containsExactly("checkpoint");
    }

    @Test
    void recovery_removes_leftovers_and_puts_back_a_folder_whose_replacement_never_came() throws IOException {
        Files.createDirectories(folder.resolve("last.tmp-77-1/sub"));
        Files.writeString(folder.resolve("last.tmp-77-1/sub/half"), "x");
        Files.createDirectories(folder.resolve("last.old-77-2"));
        Files.writeString(folder.resolve("last.old-77-2/whole"), "y");
        Files.createDirectories(folder.resolve("best"));
        Files.createDirectories(folder.resolve("best.old-77-3"));
        AtomicWrite.recover(folder);
        assertThat(names(folder)).containsExactly("best", "last");
        assertThat(folder.resolve("last/whole")).hasContent("y");
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> children = Files.list(folder)) {
            return children.map(child -> child.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }
}
