package dev.retort.text;

import java.nio.charset.StandardCharsets;

/**
 * Bytes as letters that can stand in a vocabulary file (Radford et al. 2019): printable ones of Latin-1 are themselves, the
 * others, in their order, the letters from U+0100 on.
 */
final class ByteLetters {
    private static final int BYTES = 256;
    private static final char[] LETTERS = new char[BYTES];
    private static final byte[] BYTE_OF = new byte[2 * BYTES];

    static {
        int others = 0;
        for (int i = 0; i < BYTES; i++) {
            boolean printable = i >= '!' && i <= '~' || i >= 0xa1 && i <= 0xac || i >= 0xae;
            LETTERS[i] = (char) (printable ? i : BYTES + others++);
            BYTE_OF[LETTERS[i]] = (byte) i;
        }
    }

    private ByteLetters() {}

    /** A letter for each byte of the text in UTF-8. */
    static String of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        StringBuilder letters = new StringBuilder(bytes.length);
        for (byte value : bytes) {
            letters.append(LETTERS[value & 0xff]);
        }
        return letters.toString();
    }

    /** The text whose bytes are these letters; half a character becomes U+FFFD, and letters that are no bytes are left out. */
    static String text(String letters) {
        byte[] bytes = new byte[letters.length()];
        int count = 0;
        for (char letter : letters.toCharArray()) {
            if (letter < BYTE_OF.length && LETTERS[BYTE_OF[letter] & 0xff] == letter) {
                bytes[count++] = BYTE_OF[letter];
            }
        }
        return new String(bytes, 0, count, StandardCharsets.UTF_8);
    }
}
