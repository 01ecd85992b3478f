package dev.retort.distill.step;

import dev.retort.Conditions;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.ParallelEuler;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.PointClouds;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Respondent;
import dev.retort.nn.Taps;
import dev.retort.sample.PlanExecutor;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.AdamW;
import dev.retort.train.Clock;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Pass;
import dev.retort.train.Player;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** A ring of eight points in the plane, a teacher that knows it, and students that learn from it within seconds. */
final class Plane implements AutoCloseable {
    static final NoiseSchedule SCHEDULE = new FlowLinear();
    private static final MixtureTeacher MIXTURE = MixtureTeacher.ring(8, 1.4, 0.1, 1);
    private static final PlaneNetwork.Spec SPEC = new PlaneNetwork.Spec(96, 1);
    private static final int BATCH = 192;
    private static final int POINTS = 2000;
    private static final double[][] DATA = PointClouds.of(MIXTURE.mixture(), POINTS, 11);

    private final Map<String, Player> players = new LinkedHashMap<>();
    private final Map<String, AdamW> optimizers = new HashMap<>();
    private long seen;

    /** A teacher named so, and nobody else. */
    Plane() {
        players.put("teacher", Player.frozen("teacher", perfect()));
    }

    /** Says what a perfect network of a flow would. */
    private static Predictor perfect() {
        Network network = new Network() {
            {
                buffer("anything", Tensors.zeros(Device.CPU, 1));
            }

            @Override
            public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
                float[] points = Tensors.floats(x);
                float[] times = Tensors.floats(time);
                for (int i = 0; i < times.length; i++) {
                    double[] said = MIXTURE.output(
                            Prediction.FLOW,
                            new double[] {points[2 * i], points[2 * i + 1]},
                            SCHEDULE.point(times[i]),
                            MixtureTeacher.NONE);
                    points[2 * i] = (float) said[0];
                    points[2 * i + 1] = (float) said[1];
                }
                return Tensors.of(points, Device.CPU, times.length, 2, 1, 1);
            }

            @Override
            public NetworkSpec spec() {
                return SPEC;
            }

            @Override
            public void recompute(boolean on) {}
        };
        return new Predictor(
                network, new LabelConditioner(SPEC.condition()), SCHEDULE, Prediction.FLOW, 1, Precision.FP32);
    }

    /** A network that learned what the teacher says, as a diffusion model is that is about to be distilled. */
    static Predictor learned() {
        try (Plane plane = new Plane()) {
            Predictor network = new PlaneNetwork(SPEC, 1, () -> false).predicts(Prediction.FLOW, SCHEDULE);
            plane.learns("student", network);
            Loss loss = new OutputLoss("teacher", SCHEDULE, Prediction.FLOW);
            plane.repeat(1200, at -> plane.step("student", loss, 3e-3 * (1 - at), at));
            return copy(network);
        }
    }

    /** The same network once more. */
    static Predictor copy(Predictor of) {
        Predictor copy = new PlaneNetwork(SPEC, 1, () -> false).predicts(Prediction.FLOW, SCHEDULE);
        copy.network().load(of.network().state());
        return copy;
    }

    /** The same network, told where a step ends as well, which makes no difference yet. */
    static Predictor flowMap(Predictor of) {
        PlaneNetwork.Spec spec = SPEC.with(new ScalarInputs(false, 1));
        Predictor map = new PlaneNetwork(spec, 1, () -> false).predicts(Prediction.FLOW, SCHEDULE);
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> state = new HashMap<>(map.network().state());
            state.replaceAll((name, tensor) -> Tensors.zeros(Device.CPU, Tensors.shape(tensor)));
            state.putAll(of.network().state());
            map.network().load(state);
        }
        return map;
    }

    /** The same network with so many heads, which all say what its only one does. */
    static Predictor parallel(Predictor of, int heads) {
        Predictor many = new PlaneNetwork(SPEC.withOutputs(heads), 1, () -> false).predicts(Prediction.FLOW, SCHEDULE);
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> state = new HashMap<>(of.network().state());
            state.replaceAll((name, tensor) -> name.startsWith("out.") ? repeated(tensor, heads) : tensor);
            many.network().load(state);
        }
        return many;
    }

    private static Tensor repeated(Tensor rows, int times) {
        Tensor[] all = new Tensor[times];
        Arrays.fill(all, rows);
        return Ops.cat(0, all);
    }

    /** Adds a player whose weights are trained. */
    void learns(String name, Respondent respondent) {
        OptimizerConfig config = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);
        Player player = new Player(name, respondent, new Player.Role.Learns(config));
        players.put(name, player);
        optimizers.put(name, new AdamW(player.network().parameters(), config));
    }

    /** Adds a player that stays as it is. */
    void stays(String name, Respondent respondent) {
        players.put(name, Player.frozen(name, respondent));
    }

    /** What is done so often; it is told where between 0 and 1 it stands. */
    void repeat(int steps, java.util.function.DoubleConsumer step) {
        for (int k = 0; k < steps; k++) {
            step.accept((double) k / steps);
            seen += BATCH;
        }
    }

    /** A step of a player along a loss. */
    void step(String player, Loss loss, double rate, double stage) {
        try (Scope scope = Scope.open()) {
            float[] points = new float[2 * BATCH];
            for (int i = 0; i < BATCH; i++) {
                double[] point = MIXTURE.mixture().sample(Rng.at(5, Purpose.DATA, seen + i, 0));
                points[2 * i] = (float) point[0];
                points[2 * i + 1] = (float) point[1];
            }
            Clock clock = new Clock(seen, seen / BATCH, stage, stage);
            Pass pass = new PlanePass(
                    new Pass.Context(player, players, loss.taps(), 5, clock),
                    seen,
                    SCHEDULE,
                    points,
                    new int[BATCH],
                    2,
                    1,
                    1);
            loss.perSample(pass).mean().backward();
            AdamW optimizer = optimizers.get(player);
            optimizer.clip();
            optimizer.step(rate);
            optimizer.dropGradients();
        }
    }

    /** So many steps from noise to data, whose calls are taken as x0. */
    static Plan plan(Solver solver, int steps) {
        return solver.plan(new Process(SCHEDULE, Prediction.X0), grid(steps));
    }

    static TimeGrid grid(int steps) {
        return TimeGrid.uniform(SCHEDULE, steps);
    }

    /** The teacher at so many steps of Euler. */
    Drawn teacher(int steps) {
        return drawn("teacher", new Ddim(), steps);
    }

    /** What a player draws. */
    Drawn drawn(String player, Solver solver, int steps) {
        try (Scope scope = Scope.open()) {
            return drawn(Walk.end(
                    players.get(player),
                    java.util.List.of(plan(solver, steps)),
                    noise(0),
                    Conditions.classes(new int[POINTS]),
                    step -> noise(1 + step)));
        }
    }

    /** What a player of so many heads draws. */
    Drawn drawn(String player, int heads, int steps) {
        Plan plan = new ParallelEuler(heads / steps).plan(new Process(SCHEDULE, Prediction.FLOW), grid(heads));
        Condition classes = Conditions.classes(new int[POINTS]);
        try (Scope scope = Scope.open()) {
            return drawn(PlanExecutor.run(
                    plan,
                    noise(0),
                    (step, x) -> {
                        double[] times = new double[POINTS];
                        Arrays.fill(times, plan.times()[step]);
                        Question question = new Question(x, times, classes, Question.Gradient.NONE);
                        return players.get(player).ask(question, Set.of()).output();
                    },
                    step -> noise(1 + step),
                    (step, x0, next) -> {}));
        }
    }

    private static Drawn drawn(Tensor end) {
        float[] values = Tensors.floats(end);
        double[][] cloud = new double[POINTS][];
        for (int i = 0; i < POINTS; i++) {
            cloud[i] = new double[] {values[2 * i], values[2 * i + 1]};
        }
        return new Drawn(
                PointClouds.slicedWasserstein(cloud, DATA, 32),
                PointClouds.modeCoverage(cloud, MIXTURE.mixture()),
                PointClouds.onModes(cloud, MIXTURE.mixture()));
    }

    private static Tensor noise(int number) {
        float[] values = new float[2 * POINTS];
        Rng.at(13, Purpose.NOISE, 0, number).fillGaussian(values);
        return Tensors.of(values, Device.CPU, POINTS, 2, 1, 1);
    }

    /**
     * How good a cloud is.
     *
     * @param distance sliced Wasserstein to the data; 0.02 is what as many other points of the data have
     * @param coverage share of the modes that it has found
     * @param onModes share of its points that lie on any
     */
    record Drawn(double distance, double coverage, double onModes) {}

    @Override
    public void close() {
        optimizers.values().forEach(AdamW::close);
        players.values().forEach(Player::close);
    }
}
