package dev.retort.data;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Text files as editors write them: UTF-8, or UTF-16 where a byte order mark says so; the mark is no part of the text. */
final class Text {
    private Text() {}

    /** @throws CharacterCodingException when the bytes are no such text */
    static String of(byte[] bytes) throws CharacterCodingException {
        boolean wide = bytes.length >= 2
                && ((bytes[0] & 0xff) == 0xff && (bytes[1] & 0xff) == 0xfe
                        || (bytes[0] & 0xff) == 0xfe && (bytes[1] & 0xff) == 0xff);
        Charset charset = wide ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8;
        String text = charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }
}
