package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.FlowGrid;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.hub.DownloadListener;
import dev.retort.layout.ModelFiles;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Predictor;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Models;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DiffusionTask;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run whose student is for several numbers of steps keeps for each of them the weights that were best in it. */
class BestAtStepsTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final SamplingSpec PARALLEL =
            SamplingSpec.of("parallel-euler", 4, 1).with(4, new FlowGrid.Flow(2, 0));

    @TempDir
    static Path temp;

    private static Path teacher;

    private static RunConfig run(SamplingSpec sampling, Integer... best) {
        return new RunConfig(
                7,
                8,
                new DataConfig.Shapes("train", 16, false),
                new OptimizerConfig(3e-2, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.5)),
                new ComputeConfig("cpu", "fp32", false, 3, 0, 1),
                new LogConfig(8, 16, 1, 16, List.of(best), List.of(), false),
                sampling);
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(
                64, new DitConfig("1x16x2/4", 4, 0.1, false), FLOW, run(SamplingSpec.of("flow-euler", 4, 1), 4, 2));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Path distil(String name, int images, int stopAt, Integer... best) {
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1.5, Optional.empty()),
                new DitConfig("1x16x2/4", 4, 0.1, false),
                new StudentStart.Cut(),
                FLOW,
                List.of(new StageConfig(
                        "heads", images, List.of(new ParallelDecoding(LossWeight.ONE, 8, List.of(4, 2, 1), false)))),
                run(PARALLEL, best));
        AtomicInteger steps = new AtomicInteger();
        return Distillation.run(
                recipe,
                temp.resolve(name),
                Map.of(),
                n -> {},
                (d, t, s) -> {},
                () -> steps.incrementAndGet() == stopAt);
    }

    @Test
    void weights_that_the_last_sample_grid_measured_are_not_measured_again() {
        ImageSource source = new DataConfig.Shapes("train", 16, false).open();
        DitSpec spec =
                new DitSpec(16, 16, 3, 4, 16, 1, 2, 4, source.classNames().size(), 0.1, false, false).withOutputs(4);
        RunConfig often = run(PARALLEL, 2, 4); // a step of 8 images, a grid after each 16
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU));
                DiffusionTask task = new DiffusionTask(
                        source,
                        FLOW,
                        "student",
                        Predictor.of(dit, new LabelConditioner(spec.condition()), FLOW.process(), Precision.FP32),
                        0.1,
                        Optional.empty(),
                        often,
                        "",
                        TrainedFor.steps(4, PARALLEL, 1).and(TrainedFor.steps(2, PARALLEL, 1)),
                        Optional.empty(),
                        Map.of())) {
            RunFolder run = new RunFolder(temp.resolve("published"));
            task.publish(run, dit.state(), 16);
            assertThat(run.model()).exists();
            assertThat(run.model(2)).doesNotExist();
            task.publish(run, dit.state(), 20); // of batches of 8 the grid came at this one
            assertThat(run.model(2)).doesNotExist();
            task.publish(run, dit.state(), 24);
            assertThat(run.model(2)).exists();
        }
    }

    private static List<RunEvent.Line> looks(String name) {
        return RunEvents.tail(temp.resolve(name).resolve(RunFolder.LOG), 0).entries().stream()
                .map(RunEvents.Entry::event)
                .filter(event -> event.kind().equals(RunEvent.Line.HELD_OUT))
                .map(RunEvent.Line.class::cast)
                .toList();
    }

    private static byte[] weights(Path model) throws Exception {
        return Files.readAllBytes(model.resolve(ModelFiles.WEIGHTS));
    }

    @Test
    void the_weights_of_the_smallest_distance_in_the_log_lie_beside_the_result_and_say_their_number_of_steps()
            throws Exception {
        Path result = distil("kept", 96, 0, 2, 1, 3);
        RunFolder run = new RunFolder(temp.resolve("kept"));
        List<RunEvent.Line> looks = looks("kept");
        assertThat(looks).hasSize(6);
        for (int steps : new int[] {1, 2}) {
            String name = "sliced-wasserstein/" + steps;
            RunEvent.Line best = looks.stream()
                    .min(Comparator.comparingDouble(
                            line -> (double) line.values().get(name)))
                    .orElseThrow();
            ModelCard card = Models.card(run.model(steps));
            assertThat(card.imagesSeen()).isEqualTo(best.imagesSeen());
            assertThat(card.metrics())
                    .containsExactly(Map.entry(name, (Double) best.values().get(name)));
            assertThat(card.network().outputs()).as("fused for it alone").isEqualTo(steps);
            assertThat(card.sampling().steps()).isEqualTo(steps);
            assertThat(card.trainedFor().steps()).containsExactly(steps);
            assertThat(card.trainedFor().guidance()).isEqualTo(1.5);
        }
        assertThat(run.model(3)).as("it is not trained for 3 steps").doesNotExist();
        assertThat(Models.card(result).trainedFor().steps()).containsExactly(1, 2, 4);

        Path folder = run.path();
        List<String> said = new ArrayList<>();
        assertThat(Models.locate(folder.toString(), OptionalInt.of(2), DownloadListener.saying(said::add)))
                .isEqualTo(run.model(2));
        assertThat(Models.locate(folder.toString(), OptionalInt.empty(), DownloadListener.NONE))
                .as("in the 4 steps of its card")
                .isEqualTo(result);
        assertThat(Models.locate(folder.toString(), DownloadListener.NONE)).isEqualTo(result);
        assertThat(Models.locate(result.toString(), OptionalInt.of(2), DownloadListener.NONE))
                .as("what is named exactly")
                .isEqualTo(result);
    }

    @Test
    void nothing_of_the_training_depends_on_it_and_a_run_that_was_stopped_keeps_the_same() throws Exception {
        distil("looked", 48, 0, 2, 1);
        Path plain = distil("plain", 48, 0);
        assertThat(new RunFolder(temp.resolve("plain")).model(2)).doesNotExist();
        assertThat(weights(new RunFolder(temp.resolve("looked")).model())).isEqualTo(weights(plain));
        assertThatThrownBy(() -> distil("stopped", 48, 3, 2, 1)).hasMessageContaining("stopped at 24 images");
        distil("stopped", 48, 0, 2, 1);
        for (int steps : new int[] {1, 2}) {
            assertThat(weights(new RunFolder(temp.resolve("stopped")).model(steps)))
                    .isEqualTo(weights(new RunFolder(temp.resolve("looked")).model(steps)));
        }
    }
}
