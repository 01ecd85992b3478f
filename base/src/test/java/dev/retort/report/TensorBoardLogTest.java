package dev.retort.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardLogTest {
    @TempDir
    Path dir;

    @Test
    void the_checksum_is_the_published_crc32c_check_value_masked() {
        // CRC-32C of "123456789" is E3069283; masked: rotated right by 15, plus a282ead8.
        assertThat(TensorBoardLog.maskedCrc("123456789".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo(Integer.rotateRight(0xE3069283, 15) + 0xA282EAD8);
    }

    @Test
    void every_record_is_framed_and_starts_with_the_file_version() throws IOException {
        Path file;
        try (TensorBoardLog log = TensorBoardLog.create(dir)) {
            log.scalar("train/loss", 0.125, 4096);
            log.image("samples", Pictures.png(5, 3, 1), 4096);
            log.text("config", "**steps** 20", 0);
            file = log.file();
        }
        List<Map<Integer, Object>> events = events(file);
        assertThat(events).hasSize(4);
        assertThat(text(events.get(0).get(3))).isEqualTo("brain.Event:2");

        Map<Integer, Object> scalar = value(events.get(1));
        assertThat(events.get(1).get(2)).isEqualTo(4096L);
        assertThat(text(scalar.get(1))).isEqualTo("train/loss");
        assertThat(scalar.get(2)).isEqualTo(0.125f);

        Map<Integer, Object> image = fields((byte[]) value(events.get(2)).get(4));
        assertThat(image).containsEntry(1, 3L).containsEntry(2, 5L);
        assertThat((byte[]) image.get(4)).isEqualTo(Pictures.png(5, 3, 1));

        Map<Integer, Object> tensor = fields((byte[]) value(events.get(3)).get(8));
        assertThat(tensor).containsEntry(1, 7L);
        assertThat(text(tensor.get(8))).isEqualTo("**steps** 20");
    }

    @Test
    void a_resumed_run_opens_a_later_file_that_purges_what_lies_beyond() throws IOException {
        Path first;
        Path second;
        try (TensorBoardLog log = TensorBoardLog.create(dir)) {
            first = log.file();
        }
        try (TensorBoardLog log = TensorBoardLog.resume(dir, 1000)) {
            second = log.file();
        }
        assertThat(second.getFileName().toString())
                .isGreaterThan(first.getFileName().toString());
        Map<Integer, Object> start = events(second).get(1);
        assertThat(start.get(2)).isEqualTo(1001L);
        assertThat(fields((byte[]) start.get(7))).containsEntry(1, 1L);
    }

    @Test
    void bytes_that_are_not_a_png_are_refused() {
        try (TensorBoardLog log = TensorBoardLog.create(dir)) {
            assertThatThrownBy(() -> log.image("samples", new byte[40], 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("samples");
        }
    }

    private static Map<Integer, Object> value(Map<Integer, Object> event) {
        return fields((byte[]) fields((byte[]) event.get(5)).get(1));
    }

    private static String text(Object bytes) {
        return new String((byte[]) bytes, StandardCharsets.UTF_8);
    }

    private static List<Map<Integer, Object>> events(Path file) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Map<Integer, Object>> events = new ArrayList<>();
        while (in.hasRemaining()) {
            byte[] length = new byte[8];
            in.get(length);
            assertThat(in.getInt()).isEqualTo(TensorBoardLog.maskedCrc(length));
            byte[] data = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            in.get(data);
            assertThat(in.getInt()).isEqualTo(TensorBoardLog.maskedCrc(data));
            events.add(fields(data));
        }
        return events;
    }

    private static Map<Integer, Object> fields(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        Map<Integer, Object> fields = new HashMap<>();
        while (in.hasRemaining()) {
            int key = (int) varint(in);
            Object value =
                    switch (key & 7) {
                        case 0 -> varint(in);
                        case 1 -> in.getDouble();
                        case 2 -> {
                            byte[] bytes = new byte[(int) varint(in)];
                            in.get(bytes);
                            yield bytes;
                        }
                        case 5 -> in.getFloat();
                        default -> throw new AssertionError("wire type " + (key & 7));
                    };
            fields.put(key >>> 3, value);
        }
        return fields;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = in.get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
    }
}
