package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Losses on images of the test split in the log of a run, and what is expected of them. */
class HeldOutTest {
    private static final int STEPS = 40; // of 8 images: 5 % of the run
    private static final LogConfig NOT_LOOKED_AT = new LogConfig(16, 0, 1, 32);

    @TempDir
    Path temp;

    private final List<String> notes = new ArrayList<>();

    private void train(TrainConfig config, String name, BooleanSupplier interrupted) {
        Training.run(config, temp.resolve(name), Map.of(), notes::add, (d, t, s) -> {}, interrupted);
    }

    private List<RunEvent.Line> heldOut(String run) {
        return RunEvents.tail(temp.resolve(run).resolve(RunFolder.LOG), 0).entries().stream()
                .map(RunEvents.Entry::event)
                .filter(event -> event.kind().equals(RunEvent.Line.HELD_OUT))
                .map(RunEvent.Line.class::cast)
                .toList();
    }

    private static double number(RunEvent.Line line, String name) {
        return ((Number) line.values().get(name)).doubleValue();
    }

    private long warnings(String run) {
        return RunEvents.tail(temp.resolve(run).resolve(RunFolder.LOG), 0).entries().stream()
                .filter(entry -> entry.event() instanceof RunEvent.Warning)
                .count();
    }

    private byte[] training(String run) throws Exception {
        Path newest = new RunFolder(temp.resolve(run)).newest().orElseThrow();
        return Files.readAllBytes(newest.resolve(RunFolder.TRAINING));
    }

    @Test
    void a_run_that_is_looked_at_has_the_bytes_of_one_that_is_not() throws Exception {
        LogConfig looked =
                new LogConfig(16, 16, 2, 32, List.of(), List.of(new Band(32, "loss/diffusion", 0, 1e-9)), false);
        train(Altered.with(TrainerTest.tiny(96, 1e-3, 3), NOT_LOOKED_AT), "plain", () -> false);
        train(Altered.with(TrainerTest.tiny(96, 1e-3, 3), looked), "looked", () -> false);
        assertThat(training("looked")).isEqualTo(training("plain"));
        List<RunEvent.Line> plain = RunEvents.lines(temp.resolve("plain").resolve(RunFolder.LOG));
        List<RunEvent.Line> lines = RunEvents.lines(temp.resolve("looked").resolve(RunFolder.LOG));
        for (int i = 0; i < plain.size(); i++) {
            for (String name : List.of("loss/diffusion", "gradient-norm", "teacher-calls")) {
                assertThat(lines.get(i).values().get(name))
                        .isEqualTo(plain.get(i).values().get(name));
            }
        }
        assertThat(heldOut("plain")).isEmpty();
        assertThat(heldOut("looked")).hasSize(6);
    }

    @Test
    void the_loss_on_held_out_images_stands_in_the_log_by_quarter_of_time_and_falls() {
        train(Altered.with(TrainerTest.tiny(1600, 3e-3, 8), new LogConfig(400, 400, 1, 1600)), "run", () -> false);
        List<RunEvent.Line> lines = heldOut("run");
        assertThat(lines).hasSize(4).allSatisfy(line -> {
            double all = number(line, "held-out/diffusion");
            double quarters = 0;
            for (int i = 0; i < 4; i++) {
                quarters += number(line, "held-out-by-time/" + i) / 4;
            }
            assertThat(quarters).isCloseTo(all, within(0.05 * all)); // a quarter has a fourth of the images, by chance
        });
        assertThat(number(lines.get(3), "held-out/diffusion"))
                .isLessThan(0.8 * number(lines.get(0), "held-out/diffusion"));
    }

    @Test
    void images_that_are_the_test_split_are_not_held_out() {
        TrainConfig config = Altered.with(
                TrainerTest.tiny(32, 1e-3, 8), new DataConfig.Shapes("test", 16, true), new LogConfig(16, 16, 1, 32));
        train(config, "run", () -> false);
        assertThat(heldOut("run")).isEmpty();
    }

    /** Times should favour noise, at a mean of 1. The bands are what three seeds logged, 0.94 to 0.98 and 0.93 to 0.99, and a little more. */
    private static TrainConfig withTimes(double timeMean, boolean stop) {
        List<Band> expect =
                List.of(new Band(320, "held-out-by-time/3", 0.85, 1.08), new Band(320, "loss/diffusion", 0.88, 1.04));
        TrainConfig config = Altered.with(
                TrainerTest.tiny(6400, 3e-3, 8), new LogConfig(160, 160, 4, 6400, List.of(), expect, stop));
        return new TrainConfig(config.images(), config.model(), new Objective.Flow(timeMean, 0.7, 1), config.run());
    }

    @Test
    void a_time_sampler_whose_mean_has_the_wrong_sign_is_caught_before_a_tenth_of_the_run() throws Exception {
        int[] polls = {0};
        assertThatThrownBy(() -> train(withTimes(1, true), "right", () -> ++polls[0] == STEPS + 1))
                .hasMessageContaining("stopped at 328 images");
        assertThat(warnings("right")).isZero();
        assertThatThrownBy(() -> train(withTimes(-1, true), "wrong", () -> false))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DIVERGED))
                .hasMessageContaining("at 320 images, expected")
                .hasMessageContaining("timeMean")
                .hasMessageContaining("goes on all the same");
        assertThat(warnings("wrong")).isEqualTo(2);
        assertThat(notes).anyMatch(note -> note.startsWith("held-out-by-time/3 is 1.3"));
        assertThat(new RunFolder(temp.resolve("wrong")).newest().orElseThrow()).endsWithRaw(Path.of("000000000320"));
        assertThat(Files.readString(temp.resolve("wrong/status.json"))).contains("failed");
        polls[0] = 0;
        assertThatThrownBy(() -> train(withTimes(-1, true), "wrong", () -> ++polls[0] == STEPS))
                .as("what was told is not told again")
                .hasMessageContaining("stopped at 640 images");
        assertThat(warnings("wrong")).isEqualTo(2);
    }
}
