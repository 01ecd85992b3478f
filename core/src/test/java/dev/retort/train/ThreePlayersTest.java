package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.io.FolderLock;
import dev.retort.io.SafetensorsFile;
import dev.retort.model.Answer;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.sample.PlanExecutor;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A method that the library does not know: a student of two steps is trained on noise alone, by the difference of what a teacher
 * and a fake, which learns the student's images, say of them, and by a critic with a head of its own. All of it is losses.
 */
class ThreePlayersTest {
    private static final Objective OBJECTIVE = new Objective.Flow(0, 1, 1);
    private static final FlowLinear SCHEDULE = new FlowLinear(1000);
    private static final ImageSource SHAPES = DataConfig.shapes(16).open();
    private static final OptimizerConfig STUDENT = new OptimizerConfig(1e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.01, 1);
    private static final OptimizerConfig FAKE = new OptimizerConfig(2e-3, "constant", 0, 0, 0.99, 1e-8, 0, 1);

    @TempDir
    Path temp;

    /** The student's images: the first step from noise without a graph, the last one with it. */
    private static Tensor generated(Pass pass) {
        return pass.once("generated", () -> {
            Tensor noise = pass.draws("start").gaussian(3, 16, 16);
            Plan plan = new Ddim(0).plan(OBJECTIVE.process().process(), TimeGrid.flow(SCHEDULE, 2, 1));
            boolean learns = pass.player().equals("student");
            PlanExecutor.Evaluation student = (k, x) -> {
                boolean last = k == 1;
                Gradient gradient = last && learns ? Gradient.PARAMETERS : Gradient.NONE;
                Question question = new Question(x, times(pass, plan.times()[k]), pass.condition(), gradient);
                return pass.player("student").ask(question, Set.of()).output();
            };
            return PlanExecutor.runToGraph(List.of(plan), noise, student, k -> noise, (k, x0, next) -> {});
        });
    }

    private static double[] times(Pass pass, double time) {
        double[] times = new double[pass.count()];
        java.util.Arrays.fill(times, time);
        return times;
    }

    /** The student's images, noised for the two who judge them. */
    private record Judged(Tensor x, double[] times, Tensor noise) {
        static Judged of(Pass pass) {
            return pass.once("judged", () -> {
                double[] times = pass.draws("time").each(rng -> 50 + 900 * rng.nextDouble());
                Tensor noise = pass.draws("noise").gaussian(3, 16, 16);
                double[] alpha =
                        java.util.Arrays.stream(times).map(SCHEDULE::alpha).toArray();
                double[] sigma =
                        java.util.Arrays.stream(times).map(SCHEDULE::sigma).toArray();
                Tensor x = generated(pass)
                        .mul(Tensors.of(alpha, Device.CPU).view(-1, 1, 1, 1))
                        .add(noise.mul(Tensors.of(sigma, Device.CPU).view(-1, 1, 1, 1)));
                return new Judged(x, times, noise);
            });
        }

        Question question(Pass pass, Gradient gradient) {
            return new Question(x, times, pass.condition(), gradient);
        }
    }

    /** Its gradient to the student's images is the difference of the scores; its value is of either sign. */
    private record Matching() implements Loss {
        @Override
        public String name() {
            return "matching";
        }

        @Override
        public Tensor perSample(Pass pass) {
            Judged judged = Judged.of(pass);
            Question frozen = new Question(judged.x().detach(), judged.times(), pass.condition(), Gradient.NONE);
            Tensor real = pass.ask("teacher", frozen).as(Prediction.X0);
            Tensor fake = pass.ask("fake", frozen).as(Prediction.X0);
            return Ops.meanPerSample(fake.sub(real).mul(generated(pass)));
        }
    }

    /** Fools the fake's head, through its frozen network: a negative loss. */
    private record Fooling(Head head) implements Loss {
        @Override
        public String name() {
            return "fooling";
        }

        @Override
        public Map<String, Set<String>> taps() {
            return Map.of("fake", Set.of("blocks.1"));
        }

        @Override
        public Tensor perSample(Pass pass) {
            Answer answer = pass.ask("fake", Judged.of(pass).question(pass, Gradient.THROUGH));
            return head.score(answer.tap("blocks.1")).neg();
        }
    }

    /** The fake learns the student's images, and its head to tell them from real ones. */
    private static final class Head implements Loss {
        private final Linear linear;

        Head() {
            try (Scope scope = Scope.open()) {
                linear = Linear.xavier(Init.of(5, Device.CPU).at("head"), 32, 1);
            }
        }

        @Override
        public String name() {
            return "head";
        }

        @Override
        public Map<String, Layer> parts() {
            return Map.of("linear", linear);
        }

        @Override
        public Map<String, Set<String>> taps() {
            return Map.of("fake", Set.of("blocks.1"));
        }

        Tensor score(Tensor tokens) {
            return linear.forward(Ops.mean(tokens, 1, false)).view(-1);
        }

        @Override
        public Tensor perSample(Pass pass) {
            Tensor real = score(pass.ask("fake").tap("blocks.1"));
            Tensor made = score(pass.ask("fake", Judged.of(pass).question(pass, Gradient.PARAMETERS))
                    .tap("blocks.1"));
            return Ops.relu(Ops.add(real.neg(), 1)).add(Ops.relu(Ops.add(made, 1)));
        }

        @Override
        public void close() {
            linear.close();
        }
    }

    private record Denoising() implements Loss {
        @Override
        public String name() {
            return "denoising";
        }

        @Override
        public Tensor perSample(Pass pass) {
            Judged judged = Judged.of(pass);
            Tensor flow =
                    pass.ask("fake", judged.question(pass, Gradient.PARAMETERS)).as(Prediction.FLOW);
            return Ops.meanPerSample(
                    flow.sub(judged.noise().sub(generated(pass))).square());
        }
    }

    private static DitSpec spec() {
        return new DitSpec(16, 16, 3, 4, 32, 2, 2, 2, SHAPES.classNames().size(), 0.1, false, false);
    }

    private static Predictor network(long seed) {
        Dit dit = new Dit(spec(), Init.of(seed, Device.CPU));
        Init init = Init.of(seed, Device.CPU);
        try (Scope scope = Scope.open();
                dev.retort.torch.NoGrad off = dev.retort.torch.NoGrad.on()) {
            dit.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.1, Tensors.shape(p))));
        }
        return Predictor.of(dit, new LabelConditioner(spec().condition()), OBJECTIVE.process(), Precision.FP32);
    }

    /** Trains into a folder until a step, counted from where it goes on; 0 for to the end. */
    private void train(String name, int steps) {
        TrainConfig any = TrainerTest.tiny(160, 1e-3, 3);
        Head head = new Head();
        Loss fooling = new Fooling(head);
        Phase student = new Phase(
                "student",
                List.of(
                        new Weighted(new Matching(), 1, 1),
                        new Weighted(fooling, new Ramp(0, 0.5, Ramp.Curve.LINEAR, Ramp.Span.RUN))),
                Cadence.every(5));
        Phase fake = new Phase(
                "fake", List.of(new Weighted(new Denoising(), 1, 1), new Weighted(head, 1, 1)), Cadence.EVERY_STEP);
        List<Stage> stages = List.of(
                new Stage("first", 80, List.of(fake, student), Map.of("fake", Start.copyOf("teacher")), Map.of()),
                new Stage(
                        "second",
                        80,
                        List.of(student, fake),
                        Map.of("teacher", Start.copyOf("student")),
                        Map.of("student", STUDENT)));
        Predictor asked = network(1);
        try (Player s = new Player(
                        "student",
                        asked,
                        new Player.Role.Learns(STUDENT, Optional.of(new EmaConfig(List.of(0.9, 0.5)))));
                Player t = Player.frozen("teacher", network(2));
                Player f = new Player("fake", network(3), new Player.Role.Learns(FAKE));
                Player mean = new Player("target", network(4), new Player.Role.Follows("student", 0.75));
                FolderLock held = FolderLock.take(temp.resolve(name), note -> {});
                Task task = new DiffusionTask(
                        SHAPES,
                        OBJECTIVE,
                        "student",
                        asked,
                        0.1,
                        Optional.empty(),
                        any.run(),
                        "",
                        TrainedFor.ANY,
                        Optional.empty(),
                        Map.of());
                Trainer trainer = new Trainer(
                        task,
                        List.of(s, t, f, mean),
                        stages,
                        any.run().loop(),
                        RunFolder.open(held, "train", any, note -> {}),
                        Precision.FP32)) {
            AtomicInteger made = new AtomicInteger();
            if (steps == 0) {
                trainer.run((d, n, text) -> {}, () -> false);
            } else {
                assertThatThrownBy(() -> trainer.run((d, n, text) -> {}, () -> made.incrementAndGet() == steps))
                        .hasMessageContaining("the same command resumes");
            }
        }
    }

    private Path newest(String name) {
        return new RunFolder(temp.resolve(name)).newest().orElseThrow().resolve("training.safetensors");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 5, 10, 14})
    void stopped_in_any_phase_it_ends_with_the_bytes_of_a_run_never_stopped(int step) throws Exception {
        train("straight", 0);
        train("stopped", step);
        train("stopped", 0);
        assertThat(Files.mismatch(newest("straight"), newest("stopped"))).isEqualTo(-1);
        assertThat(Files.mismatch(
                        temp.resolve("straight/model/model.safetensors"),
                        temp.resolve("stopped/model/model.safetensors")))
                .isEqualTo(-1);
    }

    @Test
    void each_player_moves_by_its_own_optimiser_at_its_own_steps() throws Exception {
        train("run", 0);
        try (SafetensorsFile saved = SafetensorsFile.open(newest("run"))) {
            String weight = "blocks.0.attn.proj.weight";
            assertThat(saved.floats("optimizer.step." + weight)).containsExactly(4); // of 20 steps every fifth
            assertThat(saved.floats("fake.optimizer.step." + weight)).containsExactly(20);
            assertThat(saved.floats("fake.optimizer.step.head.linear.weight")).containsExactly(20);
            assertThat(saved.entries().keySet())
                    .contains("model." + weight)
                    .contains("fake.extra.head.linear.weight", "teacher.model." + weight, "target.model." + weight)
                    .doesNotContain("extra.head.linear.weight");
            assertThat(saved.floats("target.model." + weight)).isNotEqualTo(saved.floats("model." + weight));
        }
        List<Map<String, Object>> log = lines(temp.resolve("run/log.jsonl"));
        Map<String, Object> last = log.get(log.size() - 1);
        assertThat(last).containsKeys("loss/matching", "loss/fooling", "loss/denoising", "loss/head");
        assertThat(last).containsKeys("lr", "lr/fake", "gradient-norm", "gradient-norm/fake");
        assertThat(((Number) last.get("lr/fake")).doubleValue()).isEqualTo(2e-3);
    }

    @Test
    void numbers_of_a_loss_belong_to_the_image_and_the_name_of_the_stream() {
        try (Scope scope = Scope.open()) {
            float[] whole = Tensors.floats(new Draws(7, "noise", 0, 100, 8, Device.CPU).gaussian(2, 3));
            float[] part = Tensors.floats(new Draws(7, "noise", 0, 104, 2, Device.CPU).gaussian(2, 3));
            assertThat(part).containsExactly(java.util.Arrays.copyOfRange(whole, 24, 36));
            assertThat(new Draws(7, "time", 0, 100, 8, Device.CPU).uniform())
                    .isNotEqualTo(new Draws(7, "noise", 0, 100, 8, Device.CPU).uniform())
                    .isNotEqualTo(new Draws(7, "time", 1, 100, 8, Device.CPU).uniform());
            assertThat(new Draws(7, "step", 0, 0, 100, Device.CPU).index(4)).contains(0, 1, 2, 3);
        }
    }

    @Test
    void a_phase_that_is_due_every_fifth_step_is_due_at_the_last_of_five() {
        assertThat(java.util.stream.LongStream.range(0, 12)
                        .filter(step -> Cadence.every(5).isDue(new Clock(8 * step, step, 0, 0)))
                        .toArray())
                .containsExactly(4, 9);
        assertThat(new Cadence(2, 0, 32).isDue(new Clock(16, 2, 0, 0))).isFalse();
        assertThat(new Cadence(2, 0, 32).isDue(new Clock(32, 4, 0, 0))).isTrue();
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
