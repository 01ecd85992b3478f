package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file of texts that pictures are to show: UTF-8, one in each line; blank lines and a byte order mark are passed over. */
public final class PromptFile {
    private PromptFile() {}

    /**
     * Its texts in order, without blanks around them.
     *
     * @throws RetortException of kind DATA where it cannot be read, holds no text, or a line, which is named, is no UTF-8
     */
    public static List<String> read(Path file) {
        byte[] bytes = bytes(file);
        List<String> texts = new ArrayList<>();
        int number = 1;
        for (int start = 0, end; start < bytes.length; start = end + 1, number++) {
            end = start;
            while (end < bytes.length && bytes[end] != '\n') { // a byte of no other letter in UTF-8
                end++;
            }
            String line = line(ByteBuffer.wrap(bytes, start, end - start), file, number);
            String text = (number == 1 && line.startsWith("\ufeff") ? line.substring(1) : line).strip();
            if (!text.isEmpty()) {
                texts.add(text);
            }
        }
        if (texts.isEmpty()) {
            throw new RetortException(
                    Kind.DATA, file + " holds no prompt in " + (number - 1) + " lines; write one into each line");
        }
        return List.copyOf(texts);
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA,
                    "cannot read the prompts in " + file + " ("
                            + (e instanceof NoSuchFileException ? "there is no such file" : AtomicWrite.reason(e))
                            + "); give a text file with one in each line",
                    e);
        }
    }

    private static String line(ByteBuffer bytes, Path file, int number) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new RetortException(
                    Kind.DATA, "line " + number + " of " + file + " is no UTF-8 text; save the file as UTF-8", e);
        }
    }
}
