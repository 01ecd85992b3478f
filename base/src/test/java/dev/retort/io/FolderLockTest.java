package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Child;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
    @TempDir
    Path temp;

    /** Takes the lock of the folder given, says so, and holds it until it is killed; or says why it cannot. */
    public static void main(String[] arguments) throws InterruptedException {
        try (FolderLock held = FolderLock.take(Path.of(arguments[0]), note -> {})) {
            System.out.println("held " + ProcessHandle.current().pid());
            Thread.sleep(arguments.length > 1 ? 600_000 : 0);
        } catch (RetortException e) {
            System.out.println(e.kind() + " " + e.getMessage());
        }
    }

    private static Child child(Path folder, String... more) throws IOException {
        String[] arguments =
                more.length == 0 ? new String[] {folder.toString()} : new String[] {folder.toString(), more[0]};
        return Child.start(FolderLockTest.class, List.of(), Map.of(), arguments);
    }

    @Test
    void another_process_is_refused_with_the_pid_of_the_one_that_holds_it_until_that_one_is_gone() throws Exception {
        Path folder = temp.resolve("new/run");
        try (Child holder = child(folder, "stay")) {
            String pid = holder.line().substring("held ".length());
            assertThatThrownBy(() -> FolderLock.take(folder, note -> {}))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.WRITE))
                    .hasMessageContaining("in use by process " + pid + " on " + Host.name() + " since ")
                    .hasMessageContaining("stop it (kill " + pid + "), or choose another folder");
            // The refused one must not have loosened the lock of the first.
            assertThatThrownBy(() -> FolderLock.take(folder, note -> {})).hasMessageContaining(pid);
            holder.kill();
        }
        assertThat(folder.resolve(FolderLock.FILE)).exists();
        List<String> notes = new ArrayList<>();
        FolderLock.take(folder, notes::add).close();
        assertThat(notes)
                .as("a lock that a killed process left is taken over, and said to be")
                .singleElement()
                .asString()
                .matches("process \\d+ on .* since .* had .*run and ended without giving it back; going on there");
        assertThat(folder.resolve(FolderLock.FILE)).doesNotExist();
        FolderLock.take(folder, notes::add).close();
        assertThat(notes).hasSize(1);
    }

    @Test
    void the_same_process_is_refused_too_and_that_does_not_let_others_in() throws Exception {
        Path link = Files.createSymbolicLink(temp.resolve("link"), Files.createDirectory(temp.resolve("run")));
        try (FolderLock held = FolderLock.take(temp.resolve("run"), note -> {})) {
            for (Path way : List.of(temp.resolve("run"), temp.resolve("run/../run"), link)) {
                assertThatThrownBy(() -> FolderLock.take(way, note -> {})).hasMessageContaining("this process");
            }
            try (Child other = child(temp.resolve("run"))) {
                assertThat(other.finish())
                        .singleElement()
                        .asString()
                        .startsWith("WRITE ")
                        .contains("process " + ProcessHandle.current().pid());
            }
        }
        try (Child other = child(temp.resolve("run"))) {
            assertThat(other.finish()).singleElement().asString().startsWith("held ");
        }
    }

    @Test
    void a_folder_that_nothing_came_of_is_gone_again_and_one_that_was_there_stays() throws Exception {
        FolderLock.take(temp.resolve("a/b/c"), note -> {}).close();
        assertThat(temp.resolve("a")).doesNotExist();
        Files.createDirectories(temp.resolve("d"));
        try (FolderLock held = FolderLock.take(temp.resolve("d/e"), note -> {})) {
            Files.writeString(held.folder().resolve("result"), "x");
        }
        assertThat(temp.resolve("d/e/result")).exists();
        FolderLock.take(temp.resolve("d"), note -> {}).close();
        assertThat(temp.resolve("d")).exists();
    }

    @Test
    void a_file_in_the_folders_place_is_refused() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "x");
        assertThatThrownBy(() -> FolderLock.take(file, note -> {})).hasMessageContaining("is a file, not a folder");
    }
}
