package dev.retort.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * The texts of a PNG file, by keyword: {@code tEXt} where a text is ASCII, else {@code iTXt} in UTF-8, both not compressed (PNG specification,
 * 11.3.4).
 */
public final class PngText {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int AROUND = 12; // length, type and checksum of a chunk
    private static final int HEADER = SIGNATURE.length + AROUND + 13;

    private PngText() {}

    /** A PNG file with texts behind its header. */
    static byte[] with(byte[] png, Map<String, String> texts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(png, 0, HEADER);
        texts.forEach((keyword, text) -> {
            boolean plain = text.chars().allMatch(c -> c < 128);
            // the flag and method of compression, a language and a translated keyword: none of them
            byte[] data = (keyword + (plain ? "\0" : "\0\0\0\0\0") + text).getBytes(StandardCharsets.UTF_8);
            byte[] chunk = ByteBuffer.allocate(4 + data.length)
                    .put((plain ? "tEXt" : "iTXt").getBytes(StandardCharsets.US_ASCII))
                    .put(data)
                    .array();
            CRC32 check = new CRC32();
            check.update(chunk);
            out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
            out.writeBytes(chunk);
            out.writeBytes(ByteBuffer.allocate(4).putInt((int) check.getValue()).array());
        });
        out.write(png, HEADER, png.length - HEADER);
        return out.toByteArray();
    }

    /** Whether a file begins as a PNG does. */
    public static boolean isPng(byte[] file) {
        return file.length > HEADER && Arrays.equals(file, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
    }

    /** The texts of a PNG file that are not compressed; none where it is no PNG, and those before the damage of one that is cut off. */
    public static Map<String, String> of(byte[] png) {
        Map<String, String> texts = new LinkedHashMap<>();
        ByteBuffer chunks = ByteBuffer.wrap(png);
        int at = isPng(png) ? SIGNATURE.length : png.length;
        while (at + AROUND <= png.length) {
            int length = chunks.getInt(at);
            if (length < 0 || length > png.length - at - AROUND) {
                break;
            }
            String type = new String(png, at + 4, 4, StandardCharsets.US_ASCII);
            byte[] data = Arrays.copyOfRange(png, at + 8, at + 8 + length);
            if (type.equals("tEXt")) {
                String text = new String(data, StandardCharsets.ISO_8859_1);
                int end = Math.max(text.indexOf('\0'), 0);
                texts.put(text.substring(0, end), text.substring(end + 1));
            } else if (type.equals("iTXt")) {
                international(new String(data, StandardCharsets.UTF_8), texts);
            }
            at += AROUND + length;
        }
        return texts;
    }

    private static void international(String text, Map<String, String> texts) {
        int end = text.indexOf('\0');
        int language = text.indexOf('\0', end + 3); // behind the flag and the method of compression
        int translated = text.indexOf('\0', language + 1);
        if (end > 0 && language > end + 2 && translated > language && text.charAt(end + 1) == 0) {
            texts.put(text.substring(0, end), text.substring(translated + 1));
        }
    }
}
