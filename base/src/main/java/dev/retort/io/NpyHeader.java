package dev.retort.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The head of an npy array: magic, version 1 to 3, and a Python dictionary of exactly {@code descr},
 * {@code fortran_order} and {@code shape}.
 *
 * @param descr element type, as the file says it
 * @param fortran whether the first index runs fastest
 * @param shape dimensions, empty for a scalar
 * @param length bytes of the head itself
 */
public record NpyHeader(String descr, boolean fortran, long[] shape, int length) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int LONGEST = 1 << 16;
    /** The types of a structured array, a list that may hold lists. */
    private static final String STRUCTURE = "\\[(?:[^\\[\\]]++|\\[[^\\[\\]]*+\\]){1,256}+\\]";

    private static final Pattern FIELD = Pattern.compile("\\s*['\"](descr|fortran_order|shape)['\"]\\s*:"
            + "\\s*(?:['\"]([^'\"]*)['\"]|(True|False)|\\(([^()]*)\\)|(" + STRUCTURE + "))\\s*(,|$)");
    private static final Pattern LENGTH = Pattern.compile("\\s*\\d{1,19}\\s*");
    private static final int MOST_DIMENSIONS = 64;

    /** Reads the head; the stream then stands at the first value. */
    static NpyHeader read(InputStream in) throws IOException {
        byte[] start = in.readNBytes(8);
        if (start.length < 8 || !Arrays.equals(start, 0, 6, MAGIC, 0, 6)) {
            throw new Malformed("it does not start as an npy array");
        }
        if (start[6] < 1 || start[6] > 3) {
            throw new Malformed("it is of the unknown npy version " + (start[6] & 0xff));
        }
        byte[] field = in.readNBytes(start[6] == 1 ? 2 : 4);
        long length = 0;
        for (int i = field.length - 1; i >= 0; i--) {
            length = length << 8 | field[i] & 0xff;
        }
        if (length > LONGEST) {
            throw new Malformed("its header of " + length + " bytes is too long");
        }
        byte[] text = in.readNBytes((int) length);
        if (field.length < 2 || text.length < length) {
            throw new Malformed("it is cut off inside its header");
        }
        return parse(new String(text, StandardCharsets.UTF_8).strip(), start.length + field.length + text.length);
    }

    private static NpyHeader parse(String text, int length) throws Malformed {
        if (!text.startsWith("{") || !text.endsWith("}")) {
            throw new Malformed("its header is not a dictionary");
        }
        String body = text.substring(1, text.length() - 1).strip();
        String descr = null;
        String order = null;
        String shape = null;
        Matcher field = FIELD.matcher(body);
        int at = 0;
        while (at < body.length() && field.region(at, body.length()).lookingAt()) {
            switch (field.group(1)) {
                case "descr" -> descr = once(descr, field.group(2) == null ? field.group(5) : field.group(2), "descr");
                case "fortran_order" -> order = once(order, field.group(3), "fortran_order");
                default -> shape = once(shape, field.group(4), "shape");
            }
            at = field.end();
        }
        if (at < body.length()) {
            throw new Malformed("its header holds something else than descr, fortran_order and shape");
        }
        if (descr == null || order == null || shape == null) {
            throw new Malformed(
                    "its header lacks " + (descr == null ? "descr" : order == null ? "fortran_order" : "shape"));
        }
        NpyHeader header = new NpyHeader(descr, order.equals("True"), dimensions(shape), length);
        try {
            header.elements();
        } catch (ArithmeticException e) {
            throw new Malformed("its shape (" + shape + ") exceeds 63 bits");
        }
        return header;
    }

    /** Element type; one whose values are not read, such as text, is refused. */
    NpyType type() throws Malformed {
        return NpyType.described(descr)
                .orElseThrow(() -> new Malformed(
                        "its element type '" + descr + "' is not supported", "store numbers in its place"));
    }

    /** Whether the type is one whose values are read. */
    boolean readable() {
        return NpyType.described(descr).isPresent();
    }

    /** Byte order of the values. */
    boolean bigEndian() {
        return descr.startsWith(">") && !descr.startsWith("V", 1);
    }

    private static String once(String before, String value, String field) throws Malformed {
        if (before != null || value == null) {
            throw new Malformed("its header has a wrong or repeated " + field);
        }
        return value;
    }

    private static long[] dimensions(String shape) throws Malformed {
        if (shape.isBlank()) {
            return new long[0];
        }
        String[] parts = shape.split(",", MOST_DIMENSIONS + 1);
        int count = parts[parts.length - 1].isBlank() && parts.length > 1 ? parts.length - 1 : parts.length;
        long[] lengths = new long[count];
        for (int i = 0; i < count; i++) {
            if (!LENGTH.matcher(parts[i]).matches()) {
                throw new Malformed("its shape (" + shape + ") is not a list of lengths");
            }
            try {
                lengths[i] = Long.parseLong(parts[i].strip());
            } catch (NumberFormatException e) {
                throw new Malformed("its shape (" + shape + ") exceeds 63 bits");
            }
        }
        return lengths;
    }

    /** Number of elements. */
    public long elements() {
        long elements = 1;
        for (long dimension : shape) {
            elements = Math.multiplyExact(elements, dimension);
        }
        return elements;
    }

    /** Bytes of the values. */
    long byteCount() throws Malformed {
        try {
            return Math.multiplyExact(elements(), (long) type().bytes());
        } catch (ArithmeticException e) {
            throw new Malformed("its shape " + Arrays.toString(shape) + " exceeds 63 bits");
        }
    }

    /**
     * The array as a tensor whose values lie at {@code start}.
     *
     * @param held bytes from there to the end of the array
     * @param file what messages call the file
     */
    StoredTensor locate(String name, long start, long held, Path file) {
        ElementType type = NpyType.described(descr)
                .<ElementType>map(known -> Dtype.valueOf(known.name()))
                .orElse(new UnreadType(descr, held, file));
        return new StoredTensor(
                new TensorEntry(name, type, shape),
                start,
                fortran ? StoredTensor.columnMajor(shape) : StoredTensor.rowMajor(shape),
                bigEndian());
    }

    /** The head of a version 1 array of this type and shape, row-major and little-endian, padded to 64 bytes. */
    static byte[] encode(NpyType type, long[] shape) {
        String lengths = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String text = "{'descr': '" + type.descr() + "', 'fortran_order': False, 'shape': ("
                + (shape.length == 1 ? lengths + "," : lengths) + "), }";
        int padded = (10 + text.length() + 1 + 63) / 64 * 64;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(MAGIC);
        out.writeBytes(new byte[] {1, 0, (byte) (padded - 10), (byte) (padded - 10 >> 8)});
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(" ".repeat(padded - 10 - text.length() - 1).getBytes(StandardCharsets.US_ASCII));
        out.write('\n');
        return out.toByteArray();
    }
}
