package dev.retort.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StopwatchTest {
    private double now = 5;
    private boolean interrupted;
    private final Stopwatch watch = new Stopwatch(() -> Math.round(now * 1e9), 1, 2, () -> interrupted);

    /** Opens for 3 s, then 8 images in each step, slow ones first. */
    private int stepsUntilStopped() {
        now += 3;
        int steps = 0;
        do {
            steps++;
            now += steps <= 3 ? 0.5 : 0.25;
            watch.update(8L * steps, 1_000_000, "");
        } while (!watch.getAsBoolean());
        now += 0.5;
        watch.end();
        return steps;
    }

    @Test
    void steps_count_once_the_run_is_warm_and_until_enough_seconds_are_measured() {
        assertThat(stepsUntilStopped()).isEqualTo(3 + 8);
        assertThat(watch.measured()).isTrue();
        assertThat(watch.secondsPerImage()).isCloseTo(0.25 / 8, within(1e-9));
    }

    @Test
    void opening_with_the_first_step_and_saving_are_told_apart_from_steps() {
        stepsUntilStopped();
        assertThat(watch.secondsAround()).isCloseTo(3 + 0.5 + 0.5, within(1e-9));
    }

    @Test
    void a_run_that_the_user_stops_has_no_speed() {
        interrupted = true;
        assertThat(stepsUntilStopped()).isEqualTo(1);
        assertThat(watch.measured()).isFalse();
    }
}
