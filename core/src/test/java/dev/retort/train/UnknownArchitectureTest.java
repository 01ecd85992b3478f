package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TapPoint;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.graph.Graph;
import dev.retort.io.FolderLock;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.LayerMap;
import dev.retort.model.Network;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Predictor;
import dev.retort.model.Weights;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.sample.Sampler;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A convolutional network that is told a text and a guidance scale, and hands out maps, is used like any other. */
class UnknownArchitectureTest {
    private static final Objective OBJECTIVE = new Objective.Flow(0, 1, 1);
    private static final int WIDTH_OF_TEXT = 4;

    @TempDir
    Path temp;

    private record Spec(int inside) implements NetworkSpec {
        @Override
        public String name() {
            return "Conv-" + inside;
        }

        @Override
        public int channels() {
            return 3;
        }

        @Override
        public int height() {
            return 16;
        }

        @Override
        public int width() {
            return 16;
        }

        @Override
        public ConditionSpec condition() {
            return new ConditionSpec(Map.of(Part.POOLED, List.of(WIDTH_OF_TEXT), Part.GUIDANCE, List.of()), 0, true);
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long macs() {
            return 0;
        }

        @Override
        public List<TapPoint> taps() {
            return List.of(
                    new TapPoint("down", inside(), 8, 8, TapPoint.Form.MAP),
                    new TapPoint("middle", inside(), 8, 8, TapPoint.Form.MAP));
        }
    }

    private static final class Net extends Network {
        private final Spec spec;
        private final Conv2d down;
        private final Conv2d middle;
        private final Conv2d up;
        private final Linear text;
        private final Linear scales;

        Net(Spec spec, Init init) {
            this.spec = spec;
            int c = spec.inside();
            try (Scope scope = Scope.open()) {
                down = child("down", Conv2d.xavier(init.at("down"), 3, c, 2, 2, 0));
                middle = child("middle", Conv2d.xavier(init.at("middle"), c, c, 3, 1, 1));
                up = child("up", Conv2d.xavier(init.at("up"), c, 12, 1, 1, 0));
                text = child("text", Linear.xavier(init.at("text"), WIDTH_OF_TEXT, c));
                scales = child("scales", Linear.xavier(init.at("scales"), 2, c));
            }
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            long n = x.size(0);
            Tensor numbers =
                    Ops.cat(1, Ops.view(Ops.mul(time, 1e-3), n, 1), Ops.view(condition.get(Part.GUIDANCE), n, 1));
            Tensor told = Ops.add(text.forward(condition.get(Part.POOLED)), scales.forward(numbers)); // (N, c)
            Tensor h = Ops.add(down.forward(x), Ops.view(told, n, spec.inside(), 1, 1)); // (N, c, 8, 8)
            taps.offer("down", h);
            Tensor m = Ops.add(h, middle.forward(Ops.silu(h)));
            taps.offer("middle", m);
            Tensor y = Ops.view(up.forward(Ops.silu(m)), n, 3, 2, 2, 8, 8); // (N, C, p, p, 8, 8)
            return Dtype.F32.cast(Ops.reshape(Ops.permute(y, 0, 1, 4, 2, 5, 3), n, 3, 16, 16));
        }

        @Override
        public NetworkSpec spec() {
            return spec;
        }

        @Override
        public void recompute(boolean on) {}
    }

    /** Shapes with a sentence about each. */
    private record Described(ImageSource shapes) implements ImageSource {
        @Override
        public String name() {
            return "described";
        }

        @Override
        public int channels() {
            return 3;
        }

        @Override
        public int height() {
            return 16;
        }

        @Override
        public int width() {
            return 16;
        }

        @Override
        public List<String> classNames() {
            return shapes.classNames();
        }

        @Override
        public long size() {
            return shapes.size();
        }

        @Override
        public Note read(long index, float[] out, int offset) {
            int label = shapes.read(index, out, offset).label();
            return new Note(label, "a picture of a " + classNames().get(label));
        }
    }

    /** A vector of a text's letters, and a guidance scale of 2. */
    private record Letters() implements Conditioner {
        @Override
        public Condition of(Prompts prompts, Device device) {
            float[] rows = new float[prompts.size() * WIDTH_OF_TEXT];
            for (int i = 0; i < prompts.size(); i++) {
                String text = prompts.texts().get(i);
                for (int c = 0; c < text.length(); c++) {
                    rows[i * WIDTH_OF_TEXT + c % WIDTH_OF_TEXT] += text.charAt(c) / 1000f;
                }
            }
            return of(rows, prompts.size(), device);
        }

        @Override
        public Condition none(int count, Device device) {
            return of(new float[count * WIDTH_OF_TEXT], count, device);
        }

        private static Condition of(float[] rows, int count, Device device) {
            return Condition.of(Map.of(
                    Part.POOLED,
                    Tensors.of(rows, device, count, WIDTH_OF_TEXT),
                    Part.GUIDANCE,
                    Tensors.full(2, device, count)));
        }
    }

    /** Noises as any training does, and keeps weights alone. */
    private record WeightsTask(ImageSource source, String published) implements Task {
        @Override
        public Pass pass(Batch batch, int from, int count, Pass.Context context) {
            return new NoisyPass(batch, from, count, context, OBJECTIVE, new Letters(), 0.2, Device.CPU);
        }

        @Override
        public Optional<String> otherRun(Path checkpoint) {
            return Optional.empty();
        }

        @Override
        public void write(Path checkpoint, Map<String, Tensor> weights, long imagesSeen) {
            Weights.writer(weights, Dtype.F32).write(checkpoint.resolve(ModelFiles.WEIGHTS));
        }

        @Override
        public Path publish(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
            Path file = run.path().resolve("result.safetensors");
            Weights.writer(weights, Dtype.F32).write(file);
            return file;
        }
    }

    private Path train(String name, List<Player> players, List<Loss> losses, int stopAt) {
        TrainConfig any = TrainerTest.tiny(64, 2e-3, 3);
        List<Weighted> weighted =
                losses.stream().map(loss -> new Weighted(loss, 1, 1)).toList();
        String student = players.get(0).name();
        AtomicInteger steps = new AtomicInteger();
        try (FolderLock held = FolderLock.take(temp.resolve(name), note -> {});
                Trainer trainer = new Trainer(
                        new WeightsTask(new Described(DataConfig.shapes(16).open()), student),
                        players,
                        List.of(new Stage("all", 64, student, weighted)),
                        any.run().loop(),
                        RunFolder.open(held, "train", any, note -> {}),
                        Precision.FP32)) {
            if (stopAt == 0) {
                return trainer.run((d, n, text) -> {}, () -> false);
            }
            assertThatThrownBy(() -> trainer.run((d, n, text) -> {}, () -> steps.incrementAndGet() == stopAt))
                    .hasMessageContaining("the same command resumes");
            return null;
        }
    }

    private static Predictor asked(Net network) {
        return Predictor.of(network, new Letters(), OBJECTIVE.process(), 1.5, Precision.FP32);
    }

    private static Player learner(Net network) {
        Predictor plain = Predictor.of(network, new Letters(), OBJECTIVE.process(), Precision.FP32);
        return new Player("student", plain, TrainerTest.tiny(64, 2e-3, 3).run().learns());
    }

    private Path distil(String name, Path teacher, int stopAt) {
        Spec small = new Spec(6);
        Spec large = new Spec(8);
        Net teacherNet = new Net(large, Init.of(1, Device.CPU));
        Weights.fill(teacherNet, teacher);
        List<LayerMap.Pair> map =
                LayerMap.uniform(small.taps().size(), large.taps().size());
        Loss features =
                new FeatureLoss("student", "teacher", map, small.taps(), large.taps(), true, 2, Init.of(3, Device.CPU));
        Loss output = new OutputLoss("teacher", OBJECTIVE.process().noiseSchedule(), Prediction.FLOW);
        try (Player student = learner(new Net(small, Init.of(2, Device.CPU)));
                Player frozen = Player.frozen("teacher", asked(teacherNet))) {
            return train(name, List.of(student, frozen), List.of(output, features), stopAt);
        }
    }

    @Test
    void it_is_trained_and_distilled_with_features_stopped_and_resumed_like_any_other() throws Exception {
        Path teacher;
        try (Player learns = new Player(
                "student",
                Predictor.of(
                        new Net(new Spec(8), Init.of(1, Device.CPU)),
                        new Letters(),
                        OBJECTIVE.process(),
                        Precision.FP32),
                TrainerTest.tiny(64, 2e-3, 3).run().learns())) {
            teacher = train("teacher", List.of(learns), List.of(new DiffusionLoss(OBJECTIVE)), 0);
        }
        Path straight = distil("straight", teacher, 0);
        distil("stopped", teacher, 3);
        Path stopped = distil("stopped", teacher, 0);
        assertThat(Files.mismatch(straight, stopped)).isEqualTo(-1);
        Path newest = new RunFolder(temp.resolve("stopped")).newest().orElseThrow();
        try (SafetensorsFile saved = SafetensorsFile.open(newest.resolve("training.safetensors"))) {
            assertThat(saved.entry("extra.feature.connector.1-1.weight").shape())
                    .containsExactly(8, 6);
        }
        List<Map<String, Object>> log = lines(temp.resolve("straight/log.jsonl"));
        assertThat(((Number) log.get(log.size() - 1).get("loss/feature")).doubleValue())
                .isLessThan(((Number) log.get(0).get("loss/feature")).doubleValue());
    }

    @Test
    void it_draws_what_texts_say_each_sample_by_itself() {
        Plan plan = SamplingPlan.of(OBJECTIVE.process().process(), SamplingSpec.of("flow-euler", 3, 1.5), false);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Net net = new Net(new Spec(8), Init.of(1, Device.CPU))) {
            Sampler sampler = new Sampler(net, new Letters(), plan, Guidance.standard(1.5), Precision.FP32);
            float[] disc = drawn(sampler, List.of("a disc"), 4);
            float[] both = drawn(sampler, List.of("a large square", "a disc"), 3, 4);
            assertThat(both).hasSize(2 * 3 * 16 * 16).doesNotContain(Float.NaN);
            assertThat(Arrays.copyOfRange(both, disc.length, both.length)).containsExactly(disc, within(1e-5f));
            assertThat(drawn(sampler, List.of("a large square"), 4)).isNotEqualTo(disc);
        }
    }

    private static float[] drawn(Sampler sampler, List<String> texts, long... indices) {
        return Tensors.floats(sampler.sample(new Prompts.Texts(texts), 0, indices));
    }

    @Test
    void its_graph_computes_what_it_does() {
        List<String> names = List.of("down", "middle");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Net net = new Net(new Spec(8), Init.of(1, Device.CPU))) {
            Graph graph = NetworkGraph.of(net, names);
            assertThat(graph.parameters()).isEqualTo(net.parameterCount());
            assertThat(graph.outputs())
                    .extracting(value -> value.shape().toString())
                    .containsExactly("(N, 3, 16, 16)", "(N, 8, 8, 8)", "(N, 8, 8, 8)");
            Init any = Init.of(2, Device.CPU);
            Tensor x = any.normal("x", 1, 5, 3, 16, 16);
            Tensor time = Tensors.full(300, Device.CPU, 5);
            Tensor text = any.normal("text", 1, 5, WIDTH_OF_TEXT);
            Tensor scale = Tensors.full(3, Device.CPU, 5);
            Taps taps = Taps.of(names);
            Tensor forward = net.forward(x, time, Condition.of(Map.of(Part.POOLED, text, Part.GUIDANCE, scale)), taps);
            Tensor[] replayed = new GraphReplay(graph, net.state(), Device.CPU).run(x, time, text, scale);
            assertThat(Tensors.floats(replayed[0])).isEqualTo(Tensors.floats(forward));
            assertThat(Tensors.floats(replayed[1])).isEqualTo(Tensors.floats(taps.get("down")));
            assertThat(Tensors.floats(replayed[2])).isEqualTo(Tensors.floats(taps.get("middle")));
        }
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
