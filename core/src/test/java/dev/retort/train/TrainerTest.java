package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsFile;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("kernels")
class TrainerTest {
    @TempDir
    Path temp;

    static TrainConfig tiny(long images, double lr, int microBatch) {
        return new TrainConfig(
                images,
                new DitConfig("2x32x2/4", 4, 0.1, false),
                new Objective.Flow(0, 1, 1),
                new RunConfig(
                        7,
                        8,
                        new DataConfig.Shapes("train", 16, true),
                        new OptimizerConfig(lr, "cosine", 16, 0.9, 0.99, 1e-8, 0.01, 1),
                        new EmaConfig(List.of(0.99, 0.9)),
                        new ComputeConfig("cpu", "fp32", false, microBatch, 0, 1),
                        new LogConfig(16, 0, 1, 32),
                        SamplingSpec.of("flow-euler", 2, 1)));
    }

    private Path train(TrainConfig config, String name) {
        return Training.run(config, temp.resolve(name), Map.of(), note -> {}, (d, t, s) -> {}, () -> false);
    }

    @Test
    void the_loss_falls() {
        train(tiny(3200, 3e-3, 8), "run");
        List<Map<String, Object>> lines = lines(temp.resolve("run/log.jsonl"));
        double first = ((Number) lines.get(0).get("loss/diffusion")).doubleValue();
        double last = lines.subList(lines.size() - 10, lines.size()).stream()
                .mapToDouble(line -> ((Number) line.get("loss/diffusion")).doubleValue())
                .average()
                .orElseThrow();
        assertThat(last).isLessThan(0.5 * first);
    }

    @Test
    void a_resumed_run_equals_one_never_stopped_bit_for_bit() throws Exception {
        TrainConfig config = tiny(96, 1e-3, 3);
        train(config, "straight");
        AtomicInteger polls = new AtomicInteger();
        assertThatThrownBy(() -> Training.run(
                        config,
                        temp.resolve("stopped"),
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {},
                        () -> polls.incrementAndGet() == 5))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("the same command resumes");
        train(config, "stopped");
        assertThat(newest("stopped")).isEqualTo(newest("straight"));
        assertThat(Files.mismatch(
                        temp.resolve("straight/model/model.safetensors"),
                        temp.resolve("stopped/model/model.safetensors")))
                .isEqualTo(-1);
    }

    private byte[] newest(String run) throws Exception {
        List<Path> all = new RunFolder(temp.resolve(run)).list();
        return Files.readAllBytes(all.get(all.size() - 1).resolve("training.safetensors"));
    }

    @Test
    void an_unfinished_checkpoint_is_ignored() throws Exception {
        TrainConfig config = tiny(96, 1e-3, 8);
        train(config, "run");
        byte[] whole = newest("run");
        // What kill -9 in the middle of a save leaves: a temporary folder with part of a file.
        Path torn = temp.resolve("run/checkpoints/000000000128.retort-tmp-1-1");
        Files.createDirectories(torn);
        Files.write(torn.resolve("training.safetensors"), new byte[100]);
        train(config, "run");
        assertThat(newest("run")).isEqualTo(whole);
    }

    @Test
    void the_micro_batch_changes_the_result_by_rounding_only() {
        train(tiny(64, 1e-3, 8), "whole");
        train(tiny(64, 1e-3, 3), "parts");
        try (SafetensorsFile a = SafetensorsFile.open(temp.resolve("whole/model/model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(temp.resolve("parts/model/model.safetensors"))) {
            for (String name : a.entries().keySet()) {
                if (name.endsWith("qkv.bias")) {
                    continue; // its key rows have no true gradient, Adam moves them by rounding noise
                }
                float[] x = a.floats(name);
                float[] y = b.floats(name);
                for (int i = 0; i < x.length; i++) {
                    assertThat(Math.abs(x[i] - y[i])).as(name).isLessThan(2e-4f);
                }
            }
        }
    }

    @Test
    void a_run_starts_from_a_model_of_another_size() {
        train(tiny(640, 3e-3, 8), "small");
        TrainConfig config = tiny(16, 1e-4, 8);
        TrainConfig large = Altered.with(config, DataConfig.shapes(32));
        String small = temp.resolve("small").toString();
        List<String> notes = new ArrayList<>();
        Training.run(large, small, temp.resolve("taught"), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        assertThat(notes).anyMatch(note -> note.contains("trained at 16x16 for 640 images"));
        train(large, "fresh");
        assertThat(firstLoss("taught")).isLessThan(0.8 * firstLoss("fresh"));
        TrainConfig other =
                new TrainConfig(16, new DitConfig("2x64x2/4", 4, 0.1, false), config.objective(), config.run());
        assertThatThrownBy(() -> Training.run(
                        other, small, temp.resolve("never"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false))
                .hasMessageContaining("height and width alone");
        assertThat(temp.resolve("never")).doesNotExist();
    }

    private double firstLoss(String run) {
        return ((Number) lines(temp.resolve(run).resolve("log.jsonl")).get(0).get("loss/diffusion")).doubleValue();
    }

    @Test
    void another_configuration_does_not_resume_a_run() {
        train(tiny(32, 1e-3, 8), "run");
        assertThatThrownBy(() -> train(tiny(32, 2e-3, 8), "run")).hasMessageContaining("another configuration");
    }

    @Test
    void a_loss_that_stays_bad_stops_the_run_with_advice() {
        LossGuard guard = new LossGuard(LossGuard.Memory.NONE);
        assertThat(guard.accept(1, 1, 0)).isTrue();
        assertThat(guard.accept(Double.NaN, 1, 0)).isFalse();
        assertThat(guard.accept(1, Double.POSITIVE_INFINITY, 0)).isFalse();
        assertThat(guard.accept(1, 1, 0)).isTrue();
        assertThat(guard.memory().skipped()).isEqualTo(2);
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100; i++) {
                        guard.accept(Double.NaN, 1, i);
                    }
                })
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("lower run.optimizer.lr");
    }

    @Test
    void losses_may_be_negative_and_what_grows_many_times_over_is_still_noticed() {
        LossGuard guard = new LossGuard(LossGuard.Memory.NONE);
        for (int i = 0; i < 200; i++) {
            assertThat(guard.accept(-4 + Math.sin(i), 1, i)).as("step " + i).isTrue();
        }
        assertThat(guard.accept(200, 1, 200)).isFalse();
        assertThat(guard.accept(-200, 1, 201)).isFalse();
        assertThat(guard.memory().skippedInARow()).isEqualTo(2);
    }

    @Test
    void a_stage_whose_loss_is_far_larger_than_that_of_the_stage_before_is_not_exploding() {
        LossGuard guard = new LossGuard(LossGuard.Memory.NONE);
        for (int i = 0; i < 100; i++) {
            guard.accept(1e-3, 1, i);
        }
        guard.startStage();
        for (int i = 0; i < 100; i++) {
            assertThat(guard.accept(2, 1, 100 + i)).isTrue();
        }
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
