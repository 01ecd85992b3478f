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
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AtomicWriteTest {
    private static final OwnFiles LETTERS = new OwnFiles("a box", "a", Pattern.compile("a|sub/b"));

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
        AtomicWrite.folder(target, LETTERS, into -> {
            Files.writeString(into.resolve("a"), "1");
            assertThat(target).doesNotExist();
        });
        AtomicWrite.folder(target, LETTERS, into -> {
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
        AtomicWrite.folder(target, LETTERS, into -> Files.writeString(into.resolve("a"), "1"));
        assertThatThrownBy(() -> AtomicWrite.folder(target, LETTERS, into -> {
                    Files.writeString(into.resolve("b"), "half");
                    throw new IOException("No space left on device");
                }))
                .hasMessageContaining("No space left on device");
        assertThat(names(target)).containsExactly("a");
        assertThat(names(folder)).containsExactly("checkpoint");
    }

    @ParameterizedTest
    @ValueSource(strings = {"letter.txt", "sub/c", ".hidden/deep", "b"})
    void a_folder_that_holds_anything_else_is_refused_and_keeps_it(String mine) throws IOException {
        Path target = folder.resolve("box");
        AtomicWrite.folder(target, LETTERS, into -> Files.writeString(into.resolve("a"), "1"));
        Files.createDirectories(target.resolve(mine).getParent());
        Files.writeString(target.resolve(mine), "mine");
        assertThatThrownBy(() -> AtomicWrite.folder(target, LETTERS, into -> {
                    throw new AssertionError("nothing is written before the check");
                }))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.USAGE))
                .hasMessage(target + " holds " + mine
                        + ", which is not part of a box and would be lost; give another name, or move it away");
        assertThat(target.resolve(mine)).hasContent("mine");
        assertThat(target.resolve("a")).hasContent("1");
        assertThat(names(folder)).containsExactly("box");
    }

    @Test
    void what_is_put_there_during_the_writing_is_kept_too() throws IOException {
        Path target = folder.resolve("box");
        AtomicWrite.folder(target, LETTERS, into -> Files.writeString(into.resolve("a"), "1"));
        assertThatThrownBy(() -> AtomicWrite.folder(target, LETTERS, into -> {
                    Files.writeString(into.resolve("a"), "2");
                    Files.createDirectory(target.resolve("photos"));
                }))
                .hasMessageContaining("holds photos, which is not part of a box");
        assertThat(names(target)).containsExactly("a", "photos");
        assertThat(names(folder)).containsExactly("box");
    }

    @Test
    void neither_a_file_nor_a_folder_without_the_mark_is_replaced_but_an_empty_one_is() throws IOException {
        Path file = Files.writeString(folder.resolve("box"), "mine");
        assertThatThrownBy(() -> AtomicWrite.folder(file, LETTERS, into -> {})).hasMessageContaining("is a file");
        assertThat(file).hasContent("mine");
        Path other = Files.createDirectories(folder.resolve("other"));
        Files.createDirectory(other.resolve("sub"));
        Files.writeString(other.resolve("sub/b"), "mine");
        assertThatThrownBy(() -> AtomicWrite.folder(other, LETTERS, into -> {}))
                .hasMessageContaining("has no a, so it is not a box written here");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        AtomicWrite.folder(empty, LETTERS, into -> Files.writeString(into.resolve("a"), "1"));
        assertThat(names(empty)).containsExactly("a");
    }

    @Test
    void a_link_to_a_folder_stays_a_link() throws IOException {
        Path there = folder.resolve("large/box");
        AtomicWrite.folder(there, LETTERS, into -> Files.writeString(into.resolve("a"), "1"));
        Path link = Files.createSymbolicLink(folder.resolve("box"), there);
        AtomicWrite.folder(link, LETTERS, into -> Files.writeString(into.resolve("a"), "2"));
        assertThat(link).isSymbolicLink();
        assertThat(there.resolve("a")).hasContent("2");
    }

    @Test
    void a_lent_folder_goes_with_all_in_it_whether_its_use_succeeds_or_fails() {
        Path target = folder.resolve("trial");
        String there = AtomicWrite.scratch(target, lent -> {
            AtomicWrite.text(lent.resolve("inside").resolve("file"), "x");
            return lent.getFileName().toString();
        });
        assertThat(there).startsWith("trial.retort-tmp-");
        assertThatThrownBy(() -> AtomicWrite.scratch(target, lent -> {
                    AtomicWrite.text(lent.resolve("file"), "x");
                    throw new IllegalStateException("on purpose");
                }))
                .hasMessage("on purpose");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void recovery_removes_leftovers_and_puts_back_a_folder_whose_replacement_never_came() throws IOException {
        Files.createDirectories(folder.resolve("last.retort-tmp-77-1/sub"));
        Files.writeString(folder.resolve("last.retort-tmp-77-1/sub/half"), "x");
        Files.createDirectories(folder.resolve("last.retort-old-77-2"));
        Files.writeString(folder.resolve("last.retort-old-77-2/whole"), "y");
        Files.createDirectories(folder.resolve("best"));
        Files.createDirectories(folder.resolve("best.retort-old-77-3"));
        Files.createDirectories(folder.resolve("best.old-2023-12"));
        Files.writeString(folder.resolve("notes.tmp-2.txt"), "mine");
        AtomicWrite.recover(folder);
        assertThat(names(folder)).containsExactly("best", "best.old-2023-12", "last", "notes.tmp-2.txt");
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
