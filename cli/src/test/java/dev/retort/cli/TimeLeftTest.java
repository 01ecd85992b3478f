package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.evaluate.Portions;
import dev.retort.report.Progress;
import java.time.Duration;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class TimeLeftTest {
    private double now;
    private TimeLeft left = new TimeLeft(() -> Math.round(now * 1e9));

    private double seconds() {
        return left.estimate().orElseThrow().toMillis() / 1e3;
    }

    @Test
    void nothing_is_estimated_before_the_first_unit_and_after_the_last() {
        left.update(0, 10);
        assertThat(left.estimate()).isEmpty();
        now = 3;
        left.update(1, 10);
        assertThat(left.estimate()).contains(Duration.ofSeconds(27));
        left.update(10, 10);
        assertThat(left.estimate()).isEmpty();
    }

    @Test
    void what_an_earlier_process_did_says_nothing_of_the_speed_of_this_one() {
        left.update(900, 1000);
        now = 20;
        left.update(910, 1000);
        assertThat(seconds()).isCloseTo(180, within(0.01));
    }

    @Test
    void a_prediction_stands_until_there_is_experience() {
        left = predicted(200);
        left.update(0, 1000);
        assertThat(seconds()).isCloseTo(200, within(0.01));
        now = 600; // of 1000 units half took three times as long as predicted
        left.update(500, 1000);
        assertThat(seconds()).isBetween(480.0, 600.0);
    }

    private TimeLeft predicted(double seconds) {
        return new TimeLeft(() -> Math.round(now * 1e9), seconds);
    }

    /** Parts of 100, 40, 20 and 40 predicted seconds, of which each takes the given multiple. */
    private void work(double until, double... multiples) {
        double[] predicted = {100, 40, 20, 40};
        left = predicted(200);
        Portions parts = new Portions((done, total, text) -> left.update(done, total), 200);
        for (int part = 0; part < predicted.length; part++) {
            Progress progress = parts.next(predicted[part], "part " + part);
            int steps = (int) predicted[part] * 2;
            for (int step = 1; step <= steps; step++) {
                now += multiples[part] / 2;
                if (now > until) {
                    return;
                }
                progress.update(step, steps, "");
            }
        }
    }

    @Test
    void parts_of_uneven_speed_leave_the_time_right_within_a_quarter_after_twenty_seconds() {
        double[][] machines = {
            {1, 1, 1, 1}, {1.4, 1.4, 1.4, 1.4}, {0.75, 0.75, 0.75, 0.75}, {1.25, 1, 1.1, 0.8}, {0.85, 1.1, 1, 1.2}
        };
        for (double[] machine : machines) {
            double whole = 100 * machine[0] + 40 * machine[1] + 20 * machine[2] + 40 * machine[3];
            for (double at : new double[] {20, 60, 100}) {
                TimeLeftTest fresh = new TimeLeftTest();
                fresh.work(at, machine);
                fresh.now = at;
                assertThat(fresh.seconds()).isCloseTo(whole - at, Percentage.withPercentage(25));
            }
        }
    }
}
