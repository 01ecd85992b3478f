package dev.retort.data;

import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The captions of a cache's rows in its files: {@code captions} holds them in UTF-8 one after another and {@code caption_ends} where each
 * ends; one for each row, or as many as {@code caption_counts} says. Where no row has any, neither is there.
 */
final class CaptionTensors {
    static final String CAPTIONS = "captions";
    private static final String ENDS = "caption_ends";
    private static final String COUNTS = "caption_counts";

    private CaptionTensors() {}

    /** Where each has one or none, no counts are written, and an empty one is none. */
    static void write(SafetensorsWriter writer, List<List<String>> captions) {
        if (captions.stream().allMatch(List::isEmpty)) {
            return;
        }
        boolean counted = captions.stream().anyMatch(some -> some.size() > 1 || some.contains(""));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        List<Long> ends = new ArrayList<>();
        List<Long> counts = new ArrayList<>();
        for (List<String> some : captions) {
            for (String one : counted || !some.isEmpty() ? some : List.of("")) {
                text.writeBytes(one.getBytes(StandardCharsets.UTF_8));
                ends.add((long) text.size());
            }
            counts.add((long) some.size());
        }
        byte[] bytes = text.toByteArray();
        writer.add(CAPTIONS, Dtype.U8, new long[] {bytes.length}, () -> ByteBuffer.wrap(bytes));
        writer.add(ENDS, Dtype.I64, new long[] {ends.size()}, () -> numbers(ends));
        if (counted) {
            writer.add(COUNTS, Dtype.I64, new long[] {counts.size()}, () -> numbers(counts));
        }
    }

    private static ByteBuffer numbers(List<Long> values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
        values.forEach(bytes::putLong);
        return bytes.flip();
    }

    /** Those of each row, as they were written. */
    static List<List<String>> read(ShardFile file, int rows) {
        if (!file.has(CAPTIONS) && !file.has(ENDS)) {
            return Collections.nCopies(rows, List.of());
        }
        boolean counted = file.has(COUNTS);
        long[] counts = new long[rows];
        Arrays.fill(counts, 1);
        if (counted) {
            file.data(COUNTS, Dtype.I64, rows).asLongBuffer().get(counts);
        }
        long all = Arrays.stream(counts).sum();
        if (Arrays.stream(counts).anyMatch(some -> some < 0) || all > Integer.MAX_VALUE) {
            throw file.foreign(COUNTS, "numbers from 0 on");
        }
        ByteBuffer bytes = file.bytes(CAPTIONS);
        ByteBuffer ends = file.data(ENDS, Dtype.I64, all);
        List<List<String>> captions = new ArrayList<>();
        long start = 0;
        int place = 0;
        for (long some : counts) {
            List<String> own = new ArrayList<>();
            for (int i = 0; i < some; i++) {
                long end = ends.getLong(8 * place++);
                if (end < start || end > bytes.limit()) {
                    throw file.foreign(ENDS, "rising numbers up to " + bytes.limit());
                }
                byte[] one = new byte[(int) (end - start)];
                bytes.get((int) start, one);
                own.add(new String(one, StandardCharsets.UTF_8));
                start = end;
            }
            captions.add(counted || !own.contains("") ? List.copyOf(own) : List.of());
        }
        return captions;
    }
}
