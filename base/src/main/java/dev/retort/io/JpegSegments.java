package dev.retort.io;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The segments of a JPEG file before its pixels. Those that decide how pixels are decoded are kept: the tables, JFIF's
 * and Adobe's marks. Colour profiles, EXIF, thumbnails and comments are not: decoders convert by a profile or fail at one
 * that is damaged.
 */
final class JpegSegments {
    private static final int START = 0xd8;
    private static final int SCAN = 0xda;
    private static final int APPLICATION_0 = 0xe0;
    private static final int APPLICATION_14 = 0xee;
    private static final int APPLICATION_15 = 0xef;
    private static final int COMMENT = 0xfe;

    private JpegSegments() {}

    /** The file without notes, or as it is where it is not a JPEG. */
    static byte[] withoutNotes(byte[] file) {
        if (file.length < 4 || unsigned(file, 0) != 0xff || unsigned(file, 1) != START) {
            return file;
        }
        ByteArrayOutputStream kept = new ByteArrayOutputStream(file.length);
        kept.write(file, 0, 2);
        int at = 2;
        while (at + 4 <= file.length && unsigned(file, at) == 0xff) {
            int marker = unsigned(file, at + 1);
            if (marker == 0xff) { // a fill byte
                at++;
                continue;
            }
            int end = at + 2 + (unsigned(file, at + 2) << 8 | unsigned(file, at + 3));
            if (marker == SCAN || end > file.length) {
                break;
            }
            if (!isNote(file, at, marker)) {
                kept.write(file, at, end - at);
            }
            at = end;
        }
        kept.write(file, at, file.length - at);
        return kept.toByteArray();
    }

    private static boolean isNote(byte[] file, int at, int marker) {
        return switch (marker) {
            case APPLICATION_0 -> !begins(file, at + 4, "JFIF\0");
            case APPLICATION_14 -> !begins(file, at + 4, "Adobe");
            default -> marker > APPLICATION_0 && marker <= APPLICATION_15 || marker == COMMENT;
        };
    }

    private static boolean begins(byte[] file, int at, String text) {
        return at + text.length() <= file.length
                && new String(file, at, text.length(), StandardCharsets.ISO_8859_1).equals(text);
    }

    private static int unsigned(byte[] file, int at) {
        return file[at] & 0xff;
    }
}
