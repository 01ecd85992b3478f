package dev.retort.distill.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.retort.card.ImageShape;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.GaussianMixture;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.io.FolderLock;
import dev.retort.io.SafetensorsFile;
import dev.retort.model.Answer;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Clock;
import dev.retort.train.ComputeConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Pass;
import dev.retort.train.Player;
import dev.retort.train.RunConfig;
import dev.retort.train.Stage;
import dev.retort.train.Task;
import dev.retort.train.Trainer;
import dev.retort.train.Weighted;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every loss of a method has to keep, on networks of the plane or others: a new loss gets it by extending this class. Players are named in {@code players()}; who is
 * trained answers where a gradient leads to its weights, else a copy that never moves does, so targets stay where they are while the weights are moved.
 */
public abstract class LossContract {
    /** How images are noised; its times are 0..1. */
    protected static final NoiseSchedule SCHEDULE = new FlowLinear();

    private static final PlaneNetwork.Spec SPEC = new PlaneNetwork.Spec(16, 3);
    private static final GaussianMixture MIXTURE = GaussianMixture.ring(8, 1.4, 0.1);
    private static final int BATCH = 8;
    /** fp32: the difference of two losses of size 1 over twice this step is right to about 1e-5. */
    private static final double STEP = 1e-2;

    private static final double GRADIENT_WITHIN = 5e-3;
    private static final OptimizerConfig ANY = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);

    @TempDir
    Path temp;

    private boolean broken;

    /** The loss, anew for each call. */
    protected abstract Loss loss();

    /** What has the loss's gradient and whose targets stay while the weights move; where answers are its only targets, the loss itself. */
    protected Loss held() {
        return loss();
    }

    /** What the networks are told beside time and class. */
    protected ScalarInputs told() {
        return ScalarInputs.NONE;
    }

    /** How many outputs the one who is trained has. */
    protected int outputs() {
        return 1;
    }

    /** Whether the critic is one of pairs. */
    protected boolean pairs() {
        return false;
    }

    /** Whether a gradient leads to a parameter of who is trained; not to the output layer where a loss looks at blocks alone. */
    protected boolean reaches(String parameter) {
        return true;
    }

    /** Who is trained by it. */
    protected String trained() {
        return "student";
    }

    /** So many steps of a student, whose calls are taken as x0. */
    static Simulation simulation(Solver solver, int steps) {
        Process process = new Process(SCHEDULE, Prediction.X0);
        return new Simulation("student", solver.plan(process, TimeGrid.uniform(SCHEDULE, steps)));
    }

    static Simulation simulation() {
        return simulation(new Ddim(0), 3);
    }

    static Renoised renoised() {
        return new Renoised(SCHEDULE, 0.05, 0.9);
    }

    /** Who is trained where a gradient leads to the weights, else a copy that never moves. */
    private record Held(Predictor live, Predictor still) implements Respondent {
        @Override
        public Layer network() {
            return live.network();
        }

        @Override
        public ImageShape images() {
            return live.images();
        }

        @Override
        public Answer ask(Question question, Set<String> taps) {
            return (question.gradient() == Gradient.NONE ? still : live).ask(question, taps);
        }

        @Override
        public void recompute(boolean on) {}
    }

    /**
     * A network, of three classes.
     *
     * @param seed of its weights: 1 for who is called student, 2 for the teacher, others for others
     * @param outputs how many it has
     * @param broken while true, it says nothing finite
     */
    protected Network network(long seed, int outputs, BooleanSupplier broken) {
        return new PlaneNetwork(SPEC.with(told()).withOutputs(outputs), seed, broken);
    }

    private Predictor predictor(long seed, int outputs, BooleanSupplier broken) {
        Network network = network(seed, outputs, broken);
        LabelConditioner labels = new LabelConditioner(network.spec().condition());
        return new Predictor(network, labels, SCHEDULE, Prediction.FLOW, 1, Precision.FP32);
    }

    private Predictor still(long seed) {
        return predictor(seed, 1, () -> broken);
    }

    private Respondent held(long seed) {
        return new Held(predictor(seed, outputs(), () -> false), predictor(seed, outputs(), () -> broken));
    }

    private ImageShape shape() {
        try (Network any = network(1, 1, () -> false)) {
            return any.spec().shape();
        }
    }

    private Map<String, Player> players() {
        Map<String, Respondent> all = new LinkedHashMap<>();
        all.put("student", held(1));
        all.put("teacher", still(2));
        all.put("fake", held(3));
        all.put("target", still(4));
        Predictor judge = still(6);
        all.put(
                "critic",
                new Critic(
                        Init.of(5, Device.CPU),
                        judge,
                        false,
                        judge.network().spec().taps(),
                        8,
                        pairs()));
        all.put("levels", new DensityLevels(judge.images(), Device.CPU, 0.05, 0.9));
        Map<String, Player> players = new LinkedHashMap<>();
        all.forEach((name, respondent) -> players.put(
                name,
                name.equals(trained())
                        ? new Player(name, respondent, new Player.Role.Learns(ANY))
                        : Player.frozen(name, respondent)));
        return players;
    }

    private static Rng at(long place) {
        return Rng.at(7, Purpose.DATA, place, 0);
    }

    private Pass pass(Map<String, Player> players, Loss loss, int first, int count) {
        Points points = new Points(shape());
        float[] pixels = new float[points.pixels() * count];
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            points.read(first + i, pixels, points.pixels() * i);
            labels[i] = (first + i) % SPEC.classes();
        }
        Pass.Context context = new Pass.Context(trained(), players, loss.taps(), 7, new Clock(0, 0, 0.5, 0.5));
        return points.pass(context, first, pixels, labels);
    }

    private float[] losses(Map<String, Player> players, Loss loss, int first, int count) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(loss.perSample(pass(players, loss, first, count)));
        }
    }

    private double mean(Map<String, Player> players, Loss loss) {
        double sum = 0;
        for (float each : losses(players, loss, 0, BATCH)) {
            sum += each / BATCH;
        }
        return sum;
    }

    private static Map<String, float[]> direction(long seed, Map<String, Tensor> parameters) {
        Map<String, float[]> direction = new LinkedHashMap<>();
        parameters.forEach((name, p) -> {
            float[] values = new float[Math.toIntExact(p.numel())];
            Rng.at(seed, Purpose.DATA, direction.size(), 0).fillGaussian(values);
            direction.put(name, values);
        });
        return direction;
    }

    private static double dot(Map<String, float[]> a, Map<String, float[]> b) {
        double sum = 0;
        for (String name : a.keySet()) {
            for (int i = 0; i < a.get(name).length; i++) {
                sum += (double) a.get(name)[i] * b.get(name)[i];
            }
        }
        return sum;
    }

    private static void move(Map<String, Tensor> parameters, Map<String, float[]> along, double by) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            parameters.forEach((name, p) ->
                    Ops.addScaledInPlace(p, Tensors.of(along.get(name), Device.CPU, Tensors.shape(p)), by));
        }
    }

    @Test
    void the_gradient_is_the_difference_of_the_loss_over_a_small_step_with_targets_held() {
        Map<String, Player> players = players();
        Map<String, Tensor> parameters =
                new LinkedHashMap<>(players.get(trained()).network().parameters());
        parameters.keySet().removeIf(name -> !reaches(name));
        Map<String, float[]> gradient = new LinkedHashMap<>();
        Loss loss = loss();
        try (Scope scope = Scope.open()) {
            loss.perSample(pass(players, loss, 0, BATCH)).mean().backward();
            parameters.forEach((name, p) -> gradient.put(name, Tensors.floats(p.grad())));
        }
        double norm = Math.sqrt(dot(gradient, gradient));
        assertThat(norm).isGreaterThan(1e-3);
        Loss held = held();
        mean(players, held);
        for (int seed = 0; seed < 4; seed++) {
            Map<String, float[]> along = seed == 0 ? gradient : direction(seed, parameters);
            double step = STEP / Math.sqrt(dot(along, along));
            move(parameters, along, step);
            double after = mean(players, held);
            move(parameters, along, -2 * step);
            double before = mean(players, held);
            move(parameters, along, step);
            double slope = dot(gradient, along) * step / STEP;
            assertThat((after - before) / (2 * STEP))
                    .as("slope along direction " + seed)
                    .isCloseTo(slope, within(GRADIENT_WITHIN * norm));
        }
        players.values().forEach(Player::close);
    }

    @Test
    void an_image_has_the_loss_it_has_alone_wherever_the_batch_is_cut() {
        assumeFalse(loss().wholeBatch(), "skipped: it weighs the images of a batch by each other, which is never cut");
        Map<String, Player> players = players();
        float[] whole = losses(players, loss(), 0, BATCH);
        for (int[] parts : new int[][] {{3, 5}, {1, 1, 1, 1, 1, 1, 1, 1}}) {
            int first = 0;
            for (int count : parts) {
                float[] part = losses(players, loss(), first, count);
                for (int i = 0; i < count; i++) {
                    float expected = whole[first + i];
                    assertThat(part[i])
                            .as("image " + (first + i))
                            .isCloseTo(expected, within(1e-6f + 1e-5f * Math.abs(expected)));
                }
                first += count;
            }
        }
        assertThat(whole).doesNotContain(Float.NaN).doesNotHaveDuplicates();
        players.values().forEach(Player::close);
    }

    @Test
    void a_step_whose_target_is_not_finite_is_not_taken_and_counted() throws Exception {
        RunConfig run = new RunConfig(
                7,
                BATCH,
                DataConfig.shapes(16),
                ANY,
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, BATCH, 0, 1),
                new LogConfig(BATCH, 0, 1, 4 * BATCH),
                SamplingSpec.of("flow-euler", 2, 1));
        Map<String, Player> players = players();
        try (FolderLock lock = FolderLock.take(temp.resolve("run"), note -> {});
                Trainer trainer = new Trainer(
                        new PlaneTask(),
                        List.copyOf(players.values()),
                        List.of(new Stage("all", 4 * BATCH, trained(), List.of(new Weighted(loss(), 1, 1)))),
                        run.loop(),
                        RunFolder.open(lock, "train", run, note -> {}),
                        Precision.FP32)) {
            trainer.run((d, n, text) -> {}, () -> false);
        }
        List<Map<String, Object>> log = RunEvents.lines(temp.resolve("run/log.jsonl")).stream()
                .map(line -> line.values())
                .toList();
        assertThat(log.get(log.size() - 1)).containsEntry("skipped-steps", 1);
        Path saved = new RunFolder(temp.resolve("run")).newest().orElseThrow().resolve("training.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(saved)) {
            for (String name : file.entries().keySet()) {
                assertThat(file.floats(name)).as(name).doesNotContain(Float.NaN);
                if (name.startsWith("optimizer.step.")) {
                    boolean reached = reaches(name.substring("optimizer.step.".length()));
                    assertThat(file.floats(name)).as(name).containsExactly(reached ? 3 : 0);
                }
            }
        }
        players.values().forEach(Player::close);
    }

    /** Points of the plane; in the second of its steps nobody but the one who is trained says anything finite. */
    private final class PlaneTask implements Task {
        private final Points points = new Points(shape());

        @Override
        public ImageSource source() {
            return points;
        }

        @Override
        public String published() {
            return trained();
        }

        @Override
        public Pass pass(Batch batch, int from, int count, Pass.Context context) {
            broken = context.clock().step() == 1;
            int size = points.pixels();
            float[] pixels = Arrays.copyOfRange(batch.pixels(), size * from, size * (from + count));
            int[] labels = batch.prompts().slice(from, count).labels();
            return points.pass(context, batch.firstImage() + from, pixels, labels);
        }

        @Override
        public Optional<String> otherRun(Path checkpoint) {
            return Optional.empty();
        }

        @Override
        public void write(Path checkpoint, Map<String, Tensor> weights, long imagesSeen) {
            Weights.writer(weights, Dtype.F32).write(checkpoint.resolve("model.safetensors"));
        }

        @Override
        public Path publish(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
            return run.path();
        }
    }

    /** Points of the plane, as many as make a picture. */
    private record Points(ImageShape shape) implements ImageSource {
        Pass pass(Pass.Context context, long first, float[] pixels, int[] labels) {
            return new PlanePass(
                    context, first, SCHEDULE, pixels, labels, shape.channels(), shape.height(), shape.width());
        }

        @Override
        public String name() {
            return "points";
        }

        @Override
        public int channels() {
            return shape.channels();
        }

        @Override
        public int height() {
            return shape.height();
        }

        @Override
        public int width() {
            return shape.width();
        }

        @Override
        public List<String> classNames() {
            return List.of("a", "b", "c");
        }

        @Override
        public long size() {
            return INFINITE;
        }

        @Override
        public Note read(long index, float[] out, int offset) {
            Rng random = at(index);
            for (int i = 0; i < pixels(); i += 2) {
                double[] point = MIXTURE.sample(random);
                out[offset + i] = (float) point[0];
                out[offset + i + 1] = (float) point[1];
            }
            return new Note((int) (index % 3), "");
        }
    }
}
