package dev.retort.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonlLogTest {
    @TempDir
    Path dir;

    @Test
    void an_entry_is_on_disk_as_one_line_before_the_log_is_closed() throws IOException {
        Path file = dir.resolve("runs/a/log.jsonl");
        try (JsonlLog log = JsonlLog.create(file)) {
            log.write("train", 128, Map.of("loss", 0.25, "text", "two\nlines"));
            assertThat(Files.readAllLines(file)).hasSize(1);
        }
        assertThat(JsonlLog.read(file).get(0))
                .containsEntry("imagesSeen", 128)
                .containsEntry("kind", "train")
                .containsEntry("loss", 0.25)
                .containsEntry("text", "two\nlines")
                .containsKey("time");
    }

    @Test
    void a_resumed_log_drops_what_came_after_the_checkpoint_and_a_torn_last_line() throws IOException {
        Path file = dir.resolve("log.jsonl");
        try (JsonlLog log = JsonlLog.create(file)) {
            for (long seen = 64; seen <= 320; seen += 64) {
                log.write("train", seen, Map.of("loss", seen / 1000.0));
            }
        }
        Files.writeString(file, "{\"imagesSeen\":384,\"lo", StandardOpenOption.APPEND);
        try (JsonlLog log = JsonlLog.resume(file, 192)) {
            log.write("train", 256, Map.of("loss", 7.0));
        }
        assertThat(JsonlLog.read(file))
                .extracting(entry -> entry.get("imagesSeen"))
                .containsExactly(64, 128, 192, 256);
        assertThat(JsonlLog.read(file).get(3)).containsEntry("loss", 7.0);
    }

    @Test
    void numbers_that_are_not_finite_stay_valid_json() {
        Path file = dir.resolve("log.jsonl");
        try (JsonlLog log = JsonlLog.create(file)) {
            log.write("train", 1, Map.of("loss", Double.NaN));
        }
        assertThat(JsonlLog.read(file).get(0)).containsEntry("loss", "NaN");
    }

    @Test
    void a_damaged_line_in_the_middle_is_named() throws IOException {
        Path file = dir.resolve("log.jsonl");
        Files.writeString(file, "{\"imagesSeen\":1}\nnonsense\n{\"imagesSeen\":2}\n");
        assertThatThrownBy(() -> JsonlLog.read(file))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("line 2");
    }
}
