package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptFileTest {
    @TempDir
    private Path folder;

    @Test
    void aPromptIsALineWithoutTheBlanksAroundIt() throws IOException {
        assertThat(PromptFile.read(file("\ufeffa red ring\r\n\r\n  größer 猫 \nlast")))
                .containsExactly("a red ring", "größer 猫", "last");
    }

    @Test
    void aLineThatIsNoUtf8IsNamed() throws IOException {
        Path file = folder.resolve("latin.txt");
        Files.write(file, "a ring\ngr\u00f6\u00dfer\n".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> PromptFile.read(file))
                .isInstanceOf(RetortException.class)
                .hasMessage("line 2 of " + file + " is no UTF-8 text; save the file as UTF-8");
    }

    @Test
    void aFileWithoutPromptsIsRefused() throws IOException {
        assertThatThrownBy(() -> PromptFile.read(file("")))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("holds no prompt in 0 lines");
        assertThatThrownBy(() -> PromptFile.read(file("\ufeff\n \n")))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("holds no prompt in 2 lines");
    }

    @Test
    void aFileThatIsNotThereIsRefusedByName() {
        Path absent = folder.resolve("absent.txt");

        assertThatThrownBy(() -> PromptFile.read(absent))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot read the prompts in " + absent + " (there is no such file)");
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("prompts.txt"), text);
    }
}
