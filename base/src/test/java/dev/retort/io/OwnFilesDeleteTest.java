package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnFilesDeleteTest {
    private static final OwnFiles KIND =
            new OwnFiles("a thing", "a.json", Pattern.compile("a\\.json|words/[a-z]+\\.txt"));

    @TempDir
    Path temp;

    @Test
    void its_files_and_their_folders_go_and_what_a_user_put_beside_them_stays() throws IOException {
        Path whole = filled("whole");
        Path kept = filled("kept");
        Path note = Files.writeString(kept.resolve("words/MINE.md"), "mine");
        Path empty = Files.createDirectories(kept.resolve("empty"));
        KIND.delete(whole);
        KIND.delete(kept);
        assertThat(whole).doesNotExist();
        assertThat(note).exists();
        assertThat(empty).exists();
        assertThat(kept.resolve("words/one.txt")).doesNotExist();
        assertThat(kept.resolve("a.json")).doesNotExist();
    }

    private Path filled(String name) throws IOException {
        Path words = Files.createDirectories(temp.resolve(name).resolve("words"));
        Files.writeString(words.resolve("one.txt"), "1");
        Files.writeString(words.resolveSibling("a.json"), "{}");
        return words.getParent();
    }
}
