package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.cli.demo.DemoPlan;
import dev.retort.cli.demo.Pace;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {
    @TempDir
    private Path run;

    @Test
    void a_demo_that_was_stopped_goes_on_to_the_lengths_it_was_begun_with_and_measures_nothing() throws Exception {
        new DemoPlan(32, 64, new Pace(1, 1, 1, 1, 1, 1, 1)).write(run);
        // a student of another run ends the demo once the teacher is there
        Files.createDirectories(run.resolve("student/checkpoints/000000000032"));
        Files.writeString(run.resolve("student").resolve("config.yaml"), "seed: 1\n");
        Ran ran = Ran.retort("demo", "--run", run.toString());
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(3);
        assertThat(ran.err())
                .contains("Going on in " + run)
                .contains("32 images for the teacher, 64 for the student")
                .doesNotContain("Measuring")
                .contains(run.resolve("student") + " holds a run with another configuration");
        assertThat(Files.readString(run.resolve("teacher").resolve("config.yaml")))
                .startsWith("kind: train\nimages: 32\n");
    }

    @Test
    void a_training_run_that_no_demo_began_is_not_taken_for_one() throws Exception {
        Files.createDirectories(run.resolve("teacher"));
        Ran.retort("demo", "--run", run.toString())
                .refused(3, run.resolve("teacher").toString(), "demo.yaml", "--run");
    }
}
