package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BarTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final AtomicLong seconds = new AtomicLong();

    private Terminal terminal(boolean interactive) {
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        return new Terminal(DataStream.on(err), stream, interactive, false);
    }

    @Test
    void off_a_terminal_it_prints_a_line_every_ten_seconds_with_the_time_left() {
        Bar bar = Bar.printed(terminal(false), "train", "images", () -> TimeUnit.SECONDS.toNanos(seconds.get()));
        for (int i = 0; i <= 40; i++) {
            seconds.set(i);
            bar.update(i * 10L, 400, i == 0 ? "" : "loss 0.5");
        }
        bar.close();
        assertThat(err.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "train 0% (0/400 images)",
                        "train 25% (100/400 images), 30 s left, loss 0.5",
                        "train 50% (200/400 images), 20 s left, loss 0.5",
                        "train 75% (300/400 images), 10 s left, loss 0.5",
                        "train 100% (400/400 images), loss 0.5");
    }

    @Test
    void a_resumed_task_estimates_from_what_this_process_did() {
        Bar bar = Bar.printed(terminal(false), "train", "images", () -> TimeUnit.SECONDS.toNanos(seconds.get()));
        bar.update(900, 1000, "");
        seconds.set(20);
        bar.update(910, 1000, "");
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("3 min 0 s left");
    }

    @Test
    void on_a_terminal_it_draws_in_place() {
        try (Bar bar = Bar.on(terminal(true), "train", "images", 0)) {
            bar.update(1, 2, "loss 0.5");
            bar.update(2, 2, "loss 0.4");
        }
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("\r")
                .contains("100%")
                .contains("2/2 images");
    }

    @Test
    void durations_are_short() {
        assertThat(Bar.duration(45)).isEqualTo("45 s");
        assertThat(Bar.duration(200)).isEqualTo("3 min 20 s");
        assertThat(Bar.duration(7500)).isEqualTo("2 h 5 min");
    }
}
