package dev.retort.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/** The chunks of a WebP file, a RIFF file: what decoders make of them is not always what is meant. */
final class WebpChunks {
    private static final int HEAD = 12;
    private static final Set<String> NOTES = Set.of("ICCP", "EXIF", "XMP ");
    /** Bits of the extended head that say which notes there are. */
    private static final int NOTE_FLAGS = 0x2c;

    private final ByteBuffer file;

    private WebpChunks(byte[] file) {
        this.file = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Whether the file is a WebP file that ends too early; a decoder fills what is missing. */
    static boolean isCut(byte[] file) {
        return is(file) && (new WebpChunks(file).file.getInt(4) & 0xffffffffL) + 8 > file.length;
    }

    /** The file without colour profile, EXIF and XMP, or as it is where it is no WebP file. */
    static byte[] withoutNotes(byte[] file) {
        return is(file) ? new WebpChunks(file).kept() : file;
    }

    /** Where the first picture of an animation lies on its canvas; empty for other files. */
    static Optional<FramePlace> firstFrame(byte[] file) {
        if (!is(file)) {
            return Optional.empty();
        }
        WebpChunks chunks = new WebpChunks(file);
        int width = 0;
        int height = 0;
        for (int at = HEAD; at + 8 <= file.length; at = chunks.next(at)) {
            String name = chunks.name(at);
            int body = at + 8;
            if (name.equals("VP8X") && body + 10 <= file.length) {
                width = 1 + chunks.three(body + 4);
                height = 1 + chunks.three(body + 7);
            } else if (name.equals("ANMF") && body + 6 <= file.length) {
                return Optional.of(new FramePlace(width, height, 2 * chunks.three(body), 2 * chunks.three(body + 3)));
            }
        }
        return Optional.empty();
    }

    private static boolean is(byte[] file) {
        return file.length >= HEAD
                && new String(file, 0, 4, StandardCharsets.ISO_8859_1).equals("RIFF")
                && new String(file, 8, 4, StandardCharsets.ISO_8859_1).equals("WEBP");
    }

    private byte[] kept() {
        byte[] bytes = file.array();
        ByteArrayOutputStream kept = new ByteArrayOutputStream(bytes.length);
        kept.write(bytes, 0, HEAD);
        for (int at = HEAD; at + 8 <= bytes.length; at = next(at)) {
            if (!NOTES.contains(name(at))) {
                kept.write(bytes, at, next(at) - at);
            }
        }
        byte[] out = kept.toByteArray();
        ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putInt(4, out.length - 8);
        if (out.length > HEAD + 8 && new WebpChunks(out).name(HEAD).equals("VP8X")) {
            out[HEAD + 8] &= ~NOTE_FLAGS;
        }
        return out;
    }

    private String name(int at) {
        return new String(file.array(), at, 4, StandardCharsets.ISO_8859_1);
    }

    /** Where the next chunk begins, at an even place; the end of the file where a length leads beyond it. */
    private int next(int at) {
        long length = file.getInt(at + 4) & 0xffffffffL;
        return (int) Math.min(file.capacity(), at + 8 + length + (length & 1));
    }

    private int three(int at) {
        return file.getShort(at) & 0xffff | (file.get(at + 2) & 0xff) << 16;
    }
}
