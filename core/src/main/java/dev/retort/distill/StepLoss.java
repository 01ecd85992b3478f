package dev.retort.distill;

import dev.retort.card.ImageShape;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSetting;
import dev.retort.card.SolverSpec;
import dev.retort.card.TapPoint;
import dev.retort.config.Require;
import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryManifest;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.Weighting;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.distill.step.AdversarialLoss;
import dev.retort.distill.step.CachedStates;
import dev.retort.distill.step.ConsistencyLoss;
import dev.retort.distill.step.Critic;
import dev.retort.distill.step.CriticLoss;
import dev.retort.distill.step.DistributionMatchingLoss;
import dev.retort.distill.step.EndpointLoss;
import dev.retort.distill.step.MadeImagesLoss;
import dev.retort.distill.step.ProgressiveLoss;
import dev.retort.distill.step.ReflowLoss;
import dev.retort.distill.step.Renoised;
import dev.retort.distill.step.Simulation;
import dev.retort.distill.step.TrajectoryLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.Cadence;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import dev.retort.train.Weighted;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Losses by which a student learns to need fewer steps. */
public sealed interface StepLoss extends LossConfig {
    @Override
    default boolean bridgesSizes() {
        return false;
    }

    /** Refuses a number of steps that a student of the recipe cannot take. */
    private static void requireSteps(Recipe recipe, String type, int steps) {
        Prediction prediction = recipe.objective().process().prediction();
        if (prediction == Prediction.EPSILON && steps == 1) {
            throw new RetortException(
                    Kind.CONFIG,
                    type
                            + " asks for 1 step of a student that predicts epsilon, which says nothing of the image where all"
                            + " is noise; let the objective predict v, x0 or flow, or ask for 2 steps");
        }
        try {
            recipe.run()
                    .sampling()
                    .withSteps(steps)
                    .grid()
                    .on(recipe.objective().process().noiseSchedule(), steps);
        } catch (IllegalArgumentException | RetortException e) {
            throw new RetortException(
                    Kind.CONFIG, type + " asks for " + steps + " steps, but run.sampling." + e.getMessage(), e);
        }
    }

    /** How the weighting of an error is called in a recipe; each is on the error of x0. */
    enum ErrorWeight {
        /** 1. */
        CONSTANT(Weighting.SIMPLE),
        /** max(SNR, 1) (Salimans and Ho 2022). */
        TRUNCATED_SNR(Weighting.TRUNCATED_SNR);

        private final Weighting weighting;

        ErrorWeight(Weighting weighting) {
            this.weighting = weighting;
        }
    }

    /** The plan of a sampler in which every call of the network is taken as x0. */
    private static Plan ofX0(Between players, SamplingSpec sampling) {
        Process process = new Process(
                players.schedule(),
                Prediction.X0,
                sampling.clamp().over(players.objective().process().process().clamp()));
        return SamplingPlan.of(process, sampling, false);
    }

    /** The student's own images in so many steps of the run's sampler. */
    private static Simulation simulation(Between players, int steps) {
        return new Simulation(
                players.student(), ofX0(players, players.sampling().withSteps(steps)));
    }

    /**
     * Progressive distillation: a step of the student lands where several of the teacher land.
     *
     * @param steps steps of the student, on the grid of {@code run.sampling}
     * @param ratio steps of the teacher for one of the student's
     * @param solver how the teacher steps
     * @param error how the error of x0 is weighted
     */
    record Progressive(LossWeight weight, int steps, int ratio, SolverSpec solver, ErrorWeight error)
            implements StepLoss {
        /** Validates. */
        public Progressive {
            Require.atLeast("steps", steps, 1);
            Require.atLeast("ratio", ratio, 2);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("ratio", 2, "solver", new SolverSpec.Ddim(), "error", ErrorWeight.TRUNCATED_SNR);
        }

        @Override
        public void requireFit(Recipe recipe) {
            requireSteps(recipe, type(), steps);
        }

        @Override
        public int teacherCalls() {
            return ratio;
        }

        @Override
        public Loss build(Between players) {
            TimeGrid grid = players.sampling().withSteps(steps).grid().on(players.schedule(), steps);
            return new ProgressiveLoss(
                    players.teacher(),
                    players.schedule(),
                    grid,
                    solver.solver(new SolverSetting(players.schedule(), steps * ratio, false)),
                    ratio,
                    error.weighting);
        }
    }

    /** A cache that the recipe's teacher left, whichever guidance it had. */
    private static CachedStates cache(Between players, String folder) {
        Trajectories trajectories = Trajectories.open(Path.of(folder));
        ImageShape images = players.asStudent().images();
        TrajectoryManifest manifest = trajectories.manifest();
        Require.that(
                manifest.channels() == images.channels()
                        && manifest.height() == images.height()
                        && manifest.width() == images.width(),
                "trajectories",
                folder,
                "trajectories of " + images.channels() + "x" + images.height() + "x" + images.width()
                        + " images; these are of " + manifest.channels() + "x" + manifest.height() + "x"
                        + manifest.width());
        Require.that(
                manifest.process()
                        .noiseSchedule()
                        .hash()
                        .equals(players.schedule().hash()),
                "trajectories",
                folder,
                "trajectories on the schedule of the objective, not on "
                        + manifest.process().schedule().text());
        Require.that(
                manifest.teacherSha256().equals(players.teacherSha256()),
                "trajectories",
                folder,
                "trajectories of the recipe's teacher; these are of " + manifest.teacher()
                        + ", or of other weights, so record them anew");
        return new CachedStates(trajectories);
    }

    /**
     * Trajectory regression: from states of its own making the student's next step lands where the teacher was.
     *
     * @param steps steps of the student, on the grid of {@code run.sampling}; kept states must stand at its times
     * @param trajectories folder that {@code retort trajectories} wrote
     */
    record Trajectory(LossWeight weight, int steps, String trajectories) implements StepLoss {
        /** Validates. */
        public Trajectory {
            Require.atLeast("steps", steps, 1);
        }

        @Override
        public int teacherCalls() {
            return 0;
        }

        @Override
        public void requireFit(Recipe recipe) {
            requireSteps(recipe, type(), steps);
        }

        @Override
        public Loss build(Between players) {
            try {
                return new TrajectoryLoss(
                        players.student(),
                        cache(players, trajectories),
                        players.schedule(),
                        ofX0(players, players.sampling().withSteps(steps)),
                        players.sampling().withSteps(steps).grid().on(players.schedule(), steps));
            } catch (IllegalArgumentException e) {
                throw new RetortException(Kind.CONFIG, "trajectories is " + trajectories + ": " + e.getMessage(), e);
            }
        }
    }

    /**
     * Consistency mid-training: from any kept state of a trajectory the student says where it ended.
     *
     * @param trajectories folder that {@code retort trajectories} wrote
     * @param pureNoise share of images asked about at the start
     * @param huber the c of the pseudo-Huber distance
     */
    record Endpoint(LossWeight weight, String trajectories, double pureNoise, double huber) implements StepLoss {
        /** Validates. */
        public Endpoint {
            Require.between("pureNoise", pureNoise, 0, 1);
            Require.atLeast("huber", huber, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("pureNoise", 0.5, "huber", 0.03);
        }

        @Override
        public int teacherCalls() {
            return 0;
        }

        @Override
        public Loss build(Between players) {
            return new EndpointLoss(cache(players, trajectories), pureNoise, new PseudoHuber(huber));
        }
    }

    /**
     * Reflow: the plain loss on pairs of a trajectory's noise and its end.
     *
     * @param trajectories folder that {@code retort trajectories} wrote
     */
    record Reflow(LossWeight weight, String trajectories) implements StepLoss {
        @Override
        public int teacherCalls() {
            return 0;
        }

        @Override
        public Loss build(Between players) {
            return new ReflowLoss(
                    cache(players, trajectories),
                    players.schedule(),
                    players.objective().process().prediction(),
                    players.objective().times());
        }
    }

    /**
     * Consistency tuning: what the student says x0 is at one time is to be what it says at an earlier one.
     *
     * @param distil let the teacher lead to the earlier time, instead of the same noise
     * @param average decay of an average of the student that says what is wanted; 0 for the student itself
     * @param timeMean logit-normal times; above 0 favours noise
     * @param timeStd their spread
     * @param pureNoise share of images at the noisiest time
     * @param gapFrom how many times nearer to the other than to 0 the earlier time is at first
     * @param gapTo and at last
     * @param gapStretches in how many equal stretches of the stage it comes nearer
     * @param huber the c of the pseudo-Huber distance
     * @param gapWeight how a pair of times counts
     */
    record Consistency(
            LossWeight weight,
            boolean distil,
            double average,
            double timeMean,
            double timeStd,
            double pureNoise,
            double gapFrom,
            double gapTo,
            int gapStretches,
            double huber,
            ConsistencyWeight gapWeight)
            implements StepLoss {
        private static final String TARGET = "target";

        /** Validates. */
        public Consistency {
            Require.between("average", average, 0, 0.9999999);
            Require.positive("timeStd", timeStd);
            Require.between("pureNoise", pureNoise, 0, 1);
            Require.that(gapFrom > 1, "gapFrom", gapFrom, "above 1");
            Require.atLeast("gapTo", gapTo, gapFrom);
            Require.atLeast("gapStretches", gapStretches, 1);
            Require.atLeast("huber", huber, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            Map<String, Object> defaults = new HashMap<>();
            defaults.put("distil", false);
            defaults.put("average", 0);
            defaults.put("timeMean", -0.4);
            defaults.put("timeStd", 1.6);
            defaults.put("pureNoise", 0.2);
            defaults.put("gapFrom", 4);
            defaults.put("gapTo", 256);
            defaults.put("gapStretches", 4);
            defaults.put("huber", 0.03);
            defaults.put("gapWeight", ConsistencyWeight.INVERSE_GAP);
            return defaults;
        }

        @Override
        public int teacherCalls() {
            return distil ? 1 : 0;
        }

        @Override
        public Loss build(Between players) {
            return new ConsistencyLoss(
                    average == 0 ? players.student() : players.names().apply(TARGET),
                    distil ? Optional.of(new ConsistencyLoss.Teacher(players.teacher(), new Ddim())) : Optional.empty(),
                    players.schedule(),
                    new ConsistencyLoss.Times(new TimeSampler.LogitNormal(timeMean, timeStd), pureNoise),
                    new ConsistencyLoss.Gap(gapFrom, gapTo, gapStretches),
                    new PseudoHuber(huber),
                    gapWeight);
        }

        @Override
        public Company company(Between players) {
            if (average == 0) {
                return Company.NONE;
            }
            return new Company(
                    List.of(new Player(
                            players.names().apply(TARGET),
                            players.copy(players.asStudent()),
                            new Player.Role.Follows(players.student(), average))),
                    List.of());
        }
    }

    /**
     * Distribution matching with a network that follows the student's images.
     *
     * @param steps steps of the student's sampler, at each of which it is trained on states of its own making
     * @param ratio steps of that network for one of the student
     * @param noiseFrom cleanest time at which images are compared, as a share of the noisiest
     * @param noiseTo noisiest time, likewise
     * @param optimizer of that network
     */
    record DistributionMatching(
            LossWeight weight, int steps, int ratio, double noiseFrom, double noiseTo, OptimizerConfig optimizer)
            implements StepLoss {
        private static final String FAKE = "fake";

        /** Validates. */
        public DistributionMatching {
            Require.atLeast("steps", steps, 1);
            Require.atLeast("ratio", ratio, 1);
            Require.between("noiseFrom", noiseFrom, 0, 1);
            Require.between("noiseTo", noiseTo, noiseFrom, 1);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of(
                    "ratio",
                    5,
                    "noiseFrom",
                    0.02,
                    "noiseTo",
                    0.98,
                    "optimizer",
                    new OptimizerConfig(1e-4, "constant", 0, 0, 0.99, 1e-8, 0, 1));
        }

        @Override
        public void requireFit(Recipe recipe) {
            requireSteps(recipe, type(), steps);
        }

        @Override
        public Loss build(Between players) {
            return new DistributionMatchingLoss(
                    simulation(players, steps),
                    players.teacher(),
                    players.names().apply(FAKE),
                    renoised(players));
        }

        private Renoised renoised(Between players) {
            return new Renoised(players.schedule(), noiseFrom, noiseTo);
        }

        @Override
        public Company company(Between players) {
            Loss loss = new MadeImagesLoss(
                    simulation(players, steps),
                    renoised(players),
                    players.schedule(),
                    players.asTeacher().prediction());
            return new Company(
                    List.of(new Player(
                            players.names().apply(FAKE),
                            players.copy(players.asTeacher()),
                            new Player.Role.Learns(optimizer))),
                    List.of(new Phase(
                            players.names().apply(FAKE), List.of(new Weighted(loss, 1, 1)), Cadence.EVERY_STEP)));
        }

        @Override
        public Cadence cadence() {
            return Cadence.every(ratio);
        }
    }

    /**
     * An adversarial game against heads on the frozen teacher's intermediates.
     *
     * @param steps steps of the student's sampler, at each of which it is trained on states of its own making
     * @param heads how many of the teacher's intermediates are looked at, at even distance
     * @param width hidden values of a head
     * @param penalty the γ of the gradient penalty, 0 for none
     * @param noiseFrom cleanest time at which images are judged, as a share of the noisiest
     * @param noiseTo noisiest time, likewise
     * @param optimizer of the heads
     */
    record Adversarial(
            LossWeight weight,
            int steps,
            int heads,
            int width,
            double penalty,
            double noiseFrom,
            double noiseTo,
            OptimizerConfig optimizer)
            implements StepLoss {
        private static final String CRITIC = "critic";

        /** Validates. */
        public Adversarial {
            Require.atLeast("steps", steps, 1);
            Require.atLeast("heads", heads, 1);
            Require.atLeast("width", width, 1);
            Require.atLeast("penalty", penalty, 0);
            Require.between("noiseFrom", noiseFrom, 0, 1);
            Require.between("noiseTo", noiseTo, noiseFrom, 1);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of(
                    "heads",
                    3,
                    "width",
                    64,
                    "penalty",
                    1e-3,
                    "noiseFrom",
                    0.05,
                    "noiseTo",
                    0.7,
                    "optimizer",
                    new OptimizerConfig(1e-4, "constant", 0, 0, 0.99, 1e-8, 0, 1));
        }

        @Override
        public void requireFit(Recipe recipe) {
            requireSteps(recipe, type(), steps);
            if (recipe.run().batch() < 2) {
                throw new RetortException(
                        Kind.CONFIG,
                        "run.batch is " + recipe.run().batch()
                                + ", expected at least 2 for an adversarial loss: the critic would see one image at a time");
            }
        }

        @Override
        public Loss build(Between players) {
            return new AdversarialLoss(
                    simulation(players, steps), players.names().apply(CRITIC), renoised(players));
        }

        private Renoised renoised(Between players) {
            return new Renoised(players.schedule(), noiseFrom, noiseTo);
        }

        @Override
        public Company company(Between players) {
            List<TapPoint> all = players.ofTeacher().taps();
            Require.between("heads", heads, 1, all.size());
            List<TapPoint> points = IntStream.range(0, heads)
                    .mapToObj(i -> all.get((i + 1) * all.size() / heads - 1))
                    .toList();
            Critic critic =
                    new Critic(players.init().at(CRITIC), players.asTeacher().withGuidance(1), points, width);
            return new Company(
                    List.of(new Player(players.names().apply(CRITIC), critic, new Player.Role.Learns(optimizer))),
                    List.of(new Phase(
                            players.names().apply(CRITIC),
                            List.of(new Weighted(
                                    new CriticLoss(simulation(players, steps), renoised(players), penalty), 1, 1)),
                            Cadence.EVERY_STEP)));
        }
    }
}
