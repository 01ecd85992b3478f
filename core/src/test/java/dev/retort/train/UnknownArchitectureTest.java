package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.loss.FeatureDistance;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Measurement;
import dev.retort.graph.Graph;
import dev.retort.io.FolderLock;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Condition;
import dev.retort.model.LayerMap;
import dev.retort.model.Network;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Predictor;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.ModelColumn.Role;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.sample.Sampler;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
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

/** A network that the library does not know, told a text and a guidance scale, is used like any other. */
class UnknownArchitectureTest {
    private static final Objective OBJECTIVE = new Objective.Flow(0, 1, 1);
    private static final SamplingSpec SAMPLING = SamplingSpec.of("flow-euler", 3, 1.5);

    @TempDir
    Path temp;

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

    /** Noises as any training does; what it keeps as it goes is weights alone. */
    private record TextTask(ImageSource source, String published, NetworkSpec spec) implements Task {
        @Override
        public Pass pass(Batch batch, int from, int count, Pass.Context context) {
            return new NoisyPass(
                    batch,
                    from,
                    count,
                    context,
                    OBJECTIVE.process().noiseSchedule(),
                    OBJECTIVE.times(),
                    new TextNetwork.Letters(),
                    0.2,
                    Optional.empty(),
                    Device.CPU);
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
            ModelCard card = ModelCard.of(
                    spec, OBJECTIVE.process(), SAMPLING, List.of(), source.name(), imagesSeen, 7, "", Map.of());
            ModelFiles.save(run.model(), card, Weights.writer(weights, Dtype.F32));
            return run.model();
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
                        new TextTask(
                                new Described(DataConfig.shapes(16).open()),
                                student,
                                ((Network) players.get(0).network()).spec()),
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

    private static Predictor asked(TextNetwork network) {
        return Predictor.of(network, new TextNetwork.Letters(), OBJECTIVE.process(), 1.5, Precision.FP32);
    }

    private static Player learner(TextNetwork network) {
        Predictor plain = Predictor.of(network, new TextNetwork.Letters(), OBJECTIVE.process(), Precision.FP32);
        return new Player("student", plain, TrainerTest.tiny(64, 2e-3, 3).run().learns());
    }

    private Path teacher() {
        try (Player learns = learner(new TextNetwork(new TextNetwork.Spec(8), Init.of(1, Device.CPU)))) {
            return train("teacher", List.of(learns), List.of(new DiffusionLoss(OBJECTIVE)), 0);
        }
    }

    private Path distil(String name, Path teacher, int stopAt) {
        TextNetwork.Spec small = new TextNetwork.Spec(6);
        TextNetwork.Spec large = new TextNetwork.Spec(8);
        TextNetwork taught = new TextNetwork(large, Init.of(1, Device.CPU));
        Weights.fill(taught, teacher.resolve(ModelFiles.WEIGHTS));
        List<LayerMap.Pair> map =
                LayerMap.uniform(small.taps().size(), large.taps().size());
        Loss features = new FeatureLoss(
                "student",
                "teacher",
                map,
                small.taps(),
                large.taps(),
                Map.of(),
                FeatureDistance.plain(FeatureDistance.Normalise.MEAN_SQUARE, 2),
                Init.of(3, Device.CPU));
        Loss output = new OutputLoss("teacher", OBJECTIVE.process().noiseSchedule(), Prediction.FLOW);
        try (Player student = learner(new TextNetwork(small, Init.of(2, Device.CPU)));
                Player frozen = Player.frozen("teacher", asked(taught))) {
            return train(name, List.of(student, frozen), List.of(output, features), stopAt);
        }
    }

    @Test
    void it_is_trained_and_distilled_with_features_stopped_and_resumed_like_any_other() throws Exception {
        Path teacher = teacher();
        Path straight = distil("straight", teacher, 0);
        distil("stopped", teacher, 3);
        Path stopped = distil("stopped", teacher, 0);
        assertThat(Files.mismatch(straight.resolve(ModelFiles.WEIGHTS), stopped.resolve(ModelFiles.WEIGHTS)))
                .isEqualTo(-1);
        Path newest = new RunFolder(temp.resolve("stopped")).newest().orElseThrow();
        try (SafetensorsFile saved = SafetensorsFile.open(newest.resolve("training.safetensors"))) {
            assertThat(saved.entry("extra.feature.connector.1-1.weight").shape())
                    .containsExactly(8, 6, 1, 1);
        }
        List<Map<String, Object>> log = lines(temp.resolve("straight/log.jsonl"));
        assertThat(((Number) log.get(log.size() - 1).get("loss/feature")).doubleValue())
                .isLessThan(((Number) log.get(0).get("loss/feature")).doubleValue());
    }

    @Test
    void it_is_judged_and_measured_beside_its_student_like_any_other() {
        Path taught = teacher();
        Candidate teacher = new Candidate("teacher", taught, SAMPLING);
        Candidate student = new Candidate("student", distil("student", taught, 0), SAMPLING);
        Evaluator.Settings settings = new Evaluator.Settings(70, 0, 35, Device.CPU, Precision.FP32);
        ComparisonReport report;
        try (Evaluator evaluator =
                Evaluator.of(pictures(), List.of("pixels"), new FeatureCache(temp.resolve("features")), settings)) {
            report = new Comparison(teacher, List.of(student), List.of())
                    .report(
                            evaluator,
                            new Measurement(2, 1, 1, "cpu", Precision.FP32, 1),
                            List.of(),
                            Provenance.here("", 0),
                            Progress.NONE);
        }
        assertThat(report.models())
                .extracting(ModelColumn::role)
                .containsExactly(Role.TEACHER, Role.STUDENT, Role.TEACHER_AT_STUDENT_COST, Role.REAL);
        for (ModelColumn column : report.models().subList(0, 3)) {
            assertThat(column.values().get(Measure.SECONDS_PER_IMAGE)).isPositive();
            assertThat(value(column, "FD-PixelPCA64@70"))
                    .isGreaterThan(value(report.models().get(3), "FD-PixelPCA64@70"));
        }
        ModelColumn learned = report.models().get(1);
        assertThat(learned.values().get(Measure.EPS_MSE)).isPositive();
        assertThat(learned.values()).containsEntry(Measure.NETWORK_CALLS, 6.0).containsEntry(Measure.PARAMETERS, 540.0);
        assertThat(report.grids().get(0).rowLabels()).hasSize(10).contains("ring");
    }

    private static double value(ModelColumn column, String measure) {
        return column.values().entrySet().stream()
                .filter(entry -> entry.getKey().name().equals(measure))
                .findFirst()
                .orElseThrow()
                .getValue();
    }

    /** Shapes in files: as a source of its own they are without end. */
    private DataConfig pictures() {
        Path folder = temp.resolve("pictures");
        for (String split : List.of("train", "test")) {
            ImageSource shapes = DataConfig.shapes(16).withSplit(split).open();
            float[] pixels = new float[shapes.pixels()];
            for (int i = 0; i < 80; i++) {
                String label = shapes.classNames().get(shapes.read(i, pixels, 0).label());
                Png.write(folder.resolve(split + "/" + label + "/" + i + ".png"), PixelImage.of(pixels, 0, 3, 16, 16));
            }
        }
        return new DataConfig.Folder(folder.toString(), "test", 16, false);
    }

    @Test
    void it_draws_what_texts_say_each_sample_by_itself() {
        Plan plan = SamplingPlan.of(OBJECTIVE.process().process(), SAMPLING, false);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                TextNetwork net = new TextNetwork(new TextNetwork.Spec(8), Init.of(1, Device.CPU))) {
            Sampler sampler = new Sampler(net, new TextNetwork.Letters(), plan, Guidance.standard(1.5), Precision.FP32);
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
                TextNetwork net = new TextNetwork(new TextNetwork.Spec(8), Init.of(1, Device.CPU))) {
            Graph graph = NetworkGraph.of(net, names);
            assertThat(graph.parameters())
                    .isEqualTo(net.parameterCount())
                    .isEqualTo(net.spec().parameters());
            assertThat(graph.macs(1)).isEqualTo(net.spec().macs());
            assertThat(graph.outputs())
                    .extracting(value -> value.shape().toString())
                    .containsExactly("(N, 3, 16, 16)", "(N, 8, 8, 8)", "(N, 8, 8, 8)");
            Init any = Init.of(2, Device.CPU);
            Tensor x = any.normal("x", 1, 5, 3, 16, 16);
            Tensor time = Tensors.full(300, Device.CPU, 5);
            Tensor text = any.normal("text", 1, 5, TextNetwork.WIDTH_OF_TEXT);
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
