package dev.retort.runtime;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Pictures as 8-bit PNG files, by nothing that Android lacks. */
final class Png {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final byte GREY = 0;
    private static final byte RGB = 2;
    private static final byte UP = 2;

    private Png() {}

    static byte[] encode(Image image) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(SIGNATURE, 0, SIGNATURE.length);
        ByteBuffer header = ByteBuffer.allocate(13);
        header.putInt(image.width()).putInt(image.height());
        header.put((byte) 8).put(image.channels() == 1 ? GREY : RGB); // then compression, filter and interlacing: 0
        chunk(out, "IHDR", header.array(), header.capacity());
        byte[] rows = filtered(image);
        Deflater deflater = new Deflater();
        try {
            deflater.setInput(rows);
            deflater.finish();
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            byte[] part = new byte[1 << 13];
            while (!deflater.finished()) {
                packed.write(part, 0, deflater.deflate(part));
            }
            chunk(out, "IDAT", packed.toByteArray(), packed.size());
        } finally {
            deflater.end();
        }
        chunk(out, "IEND", new byte[0], 0);
        return out.toByteArray();
    }

    /** Each row as its difference from the one above, its filter's number before it. */
    private static byte[] filtered(Image image) {
        int width = image.width() * image.channels();
        byte[] pixels = image.bytes();
        byte[] rows = new byte[image.height() * (width + 1)];
        for (int y = 0; y < image.height(); y++) {
            int to = y * (width + 1);
            rows[to] = UP;
            for (int x = 0; x < width; x++) {
                int above = y == 0 ? 0 : pixels[(y - 1) * width + x];
                rows[to + 1 + x] = (byte) (pixels[y * width + x] - above);
            }
        }
        return rows;
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data, int length) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 check = new CRC32();
        check.update(name);
        check.update(data, 0, length);
        out.write(ByteBuffer.allocate(4).putInt(length).array(), 0, 4);
        out.write(name, 0, name.length);
        out.write(data, 0, length);
        out.write(ByteBuffer.allocate(4).putInt((int) check.getValue()).array(), 0, 4);
    }
}
