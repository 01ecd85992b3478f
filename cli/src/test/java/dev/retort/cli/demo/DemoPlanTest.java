package dev.retort.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.cli.demo.DemoPlan.Length;
import dev.retort.cli.demo.DemoPlan.Rest;
import dev.retort.error.RetortException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoPlanTest {
    private static final int BATCH = 16;
    private static final Length LEAST = new Length(20_000, 10_000);
    private static final Length FULL = new Length(100_000, 50_000);
    private static final Rest REST = new Rest(800, 80, 5);

    @TempDir
    private Path folder;

    /** A machine on which all takes so many times as long as on one that needs 2 min 5 s for the full length. */
    private static Pace pace(double times) {
        return new Pace(
                0.0005 * times, 0.0004 * times, 0.0003 * times, 0.008 * times, 0.002 * times, 0.7 * times, 1.5 * times);
    }

    private static DemoPlan plan(double times) {
        return DemoPlan.within(200, pace(times), LEAST, FULL, REST, BATCH);
    }

    @Test
    void a_fast_machine_trains_the_full_length_and_needs_less_time() {
        DemoPlan plan = plan(1);
        assertThat(plan.teacherImages()).isEqualTo(FULL.teacher());
        assertThat(plan.studentImages()).isEqualTo(FULL.student());
        assertThat(plan.seconds(REST)).isLessThan(200);
    }

    @Test
    void a_slower_machine_fills_the_time_with_whole_batches_between_the_least_and_the_full_length() {
        for (double times : new double[] {2, 2.7, 3.5}) {
            DemoPlan plan = plan(times);
            assertThat(plan.seconds(REST)).isBetween(199.5, 200.0);
            assertThat(plan.teacherImages()).isBetween(LEAST.teacher() + 1, FULL.teacher() - 1);
            assertThat(plan.studentImages()).isBetween(LEAST.student() + 1, FULL.student() - 1);
            assertThat((plan.teacherImages() - LEAST.teacher()) % BATCH).isZero();
            assertThat((plan.studentImages() - LEAST.student()) % BATCH).isZero();
        }
    }

    @Test
    void a_very_slow_machine_trains_the_least_and_knows_that_it_takes_longer() {
        DemoPlan plan = plan(20);
        assertThat(plan.teacherImages()).isEqualTo(LEAST.teacher());
        assertThat(plan.studentImages()).isEqualTo(LEAST.student());
        assertThat(plan.seconds(REST)).isGreaterThan(500);
    }

    @Test
    void no_time_at_all_gives_the_least() {
        DemoPlan plan = DemoPlan.within(-5, pace(1), LEAST, FULL, REST, BATCH);
        assertThat(plan.teacherImages()).isEqualTo(LEAST.teacher());
    }

    @Test
    void the_parts_add_up_to_the_whole() {
        DemoPlan plan = plan(2);
        assertThat(plan.teacherSeconds()
                        + plan.studentSeconds()
                        + plan.aloneSeconds()
                        + plan.comparisonSeconds(REST)
                        + plan.pictureSeconds(REST))
                .isCloseTo(plan.seconds(REST), within(1e-9));
    }

    @Test
    void a_plan_is_found_again_in_its_folder_as_it_was() {
        assertThat(DemoPlan.read(folder)).isEmpty();
        DemoPlan plan = plan(2.7);
        plan.write(folder);
        assertThat(DemoPlan.read(folder)).contains(plan);
    }

    @Test
    void a_plan_that_was_changed_to_nonsense_is_refused_by_file_and_field() throws Exception {
        plan(2).write(folder);
        Path file = folder.resolve(DemoPlan.FILE);
        Files.writeString(file, Files.readString(file).replaceFirst("studentImages: \\d+", "studentImages: 0"));
        assertThatThrownBy(() -> DemoPlan.read(folder))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(DemoPlan.FILE)
                .hasMessageContaining("studentImages");
    }
}
