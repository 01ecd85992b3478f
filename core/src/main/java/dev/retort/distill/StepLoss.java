package dev.retort.distill;

import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TrainedFor;
import dev.retort.config.Require;
import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Lcm;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.Weighting;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.distill.step.ConsistencyLoss;
import dev.retort.distill.step.ProgressiveLoss;
import dev.retort.distill.step.TeacherSteps;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.Loss;
import dev.retort.train.Player;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleFunction;

/** Losses by which a student learns to need fewer steps. */
public sealed interface StepLoss extends LossConfig
        permits StepLoss.Progressive, JumpLoss, ParallelDecoding, MapLoss, CachedLoss, GameLoss {
    @Override
    default boolean bridgesSizes() {
        return false;
    }

    /**
     * For which ways of sampling it trains a student; without more to say of it, for jumps from any time by the solver of {@code
     * run.sampling}.
     *
     * @param lesson under which circumstances
     */
    default TrainedFor trains(Lesson lesson) {
        return TrainedFor.jumps(lesson.sampling(), lesson.taught().guidance());
    }

    /**
     * At which times a teacher is asked to follow its ODE, from noise to image: none of them where that does not matter, empty for any
     * time.
     *
     * @param recipe whose loss it is
     */
    default Optional<double[]> teacherTimes(Recipe recipe) {
        return Optional.empty();
    }

    /**
     * Whether it tells a student one time and asks of it more than the velocity there, where a step leads say: a student that is told where
     * its step ends cannot learn from that.
     */
    default boolean asksBeyondVelocity() {
        return true;
    }

    /**
     * What a student learns from in a stage.
     *
     * @param sampling how the result is to be sampled
     * @param before what it was trained for by the stages before
     * @param taught what the stage's teacher is trained for, its guidance in the recipe included
     * @param original what the recipe's teacher is trained for, as its card has it
     */
    record Lesson(SamplingSpec sampling, TrainedFor before, TrainedFor taught, TrainedFor original) {}

    /** At which times a teacher is asked that takes several steps for one of the student's. */
    static double[] timesOfTeacher(Recipe recipe, int steps, int ratio) {
        NoiseSchedule schedule = recipe.objective().process().noiseSchedule();
        TimeGrid grid = recipe.run().sampling().withSteps(steps).grid().on(schedule, steps);
        return TeacherSteps.times(schedule, grid, ratio);
    }

    /** Refuses fewer steps of a teacher than make sense, and steps that are none. */
    static void requireStepsOfTeacher(int least, int ratio, SolverSpec solver) {
        Require.atLeast("ratio", ratio, least);
        Require.that(
                !(solver instanceof SolverSpec.ParallelEuler),
                "solver",
                solver.text(),
                "one for teachers of one output, such as ddim");
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

    /**
     * Progressive distillation: a step of the student lands where several of the teacher land, or, for a student of as many steps as its
     * teacher, where that one's own does.
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
            StepLoss.requireStepsOfTeacher(1, ratio, solver);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("ratio", 2, "solver", new SolverSpec.Ddim(), "error", ErrorWeight.TRUNCATED_SNR);
        }

        @Override
        public void requireFit(Recipe recipe) {
            Checks.requireSteps(recipe, type(), steps);
        }

        @Override
        public int teacherCalls() {
            return ratio;
        }

        @Override
        public TrainedFor trains(Lesson lesson) {
            return TrainedFor.steps(steps, lesson.sampling(), lesson.taught().guidance());
        }

        @Override
        public Optional<double[]> teacherTimes(Recipe recipe) {
            return Optional.of(StepLoss.timesOfTeacher(recipe, steps, ratio));
        }

        @Override
        public Loss build(BuildContext players) {
            return new ProgressiveLoss(players.teacherSteps(steps, ratio, solver), error.weighting);
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
     * @param intervals into how many equal ones time is cut instead, of which one is drawn for each image: its ends are the two times, and the
     *     teacher skips what lies between (LCM: 50); 0 where times are drawn and the gap is as above
     * @param huber the c of the pseudo-Huber distance
     * @param byElement of each difference, of which the mean is taken, instead of the whole image's norm
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
            int intervals,
            double huber,
            boolean byElement,
            ConsistencyWeight gapWeight)
            implements JumpLoss {
        private static final String TARGET = "target";

        /** Validates. */
        public Consistency {
            Require.between("average", average, 0, 0.9999999);
            Require.positive("timeStd", timeStd);
            Require.between("pureNoise", pureNoise, 0, 1);
            Require.that(gapFrom > 1, "gapFrom", gapFrom, "above 1");
            Require.atLeast("gapTo", gapTo, gapFrom);
            Require.atLeast("gapStretches", gapStretches, 1);
            Require.that(intervals == 0 || intervals >= 2, "intervals", intervals, "at least 2, or 0 for none");
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
            defaults.put("intervals", 0);
            defaults.put("huber", 0.03);
            defaults.put("byElement", false);
            defaults.put("gapWeight", ConsistencyWeight.INVERSE_GAP);
            return defaults;
        }

        @Override
        public Loss build(BuildContext players) {
            return new ConsistencyLoss(
                    average == 0 ? players.student() : players.names().apply(TARGET),
                    distil ? Optional.of(players.teacher()) : Optional.empty(),
                    players.schedule(),
                    intervals == 0
                            ? new ConsistencyLoss.Pairs.Closing(
                                    new TimeSampler.LogitNormal(timeMean, timeStd),
                                    pureNoise,
                                    gapFrom,
                                    gapTo,
                                    gapStretches)
                            : new ConsistencyLoss.Pairs.Neighbours(cut(players.schedule())),
                    new ConsistencyLoss.Distance(new PseudoHuber(huber), byElement),
                    gapWeight,
                    form(players.sampling().solver(), players.schedule()));
        }

        private TimeGrid cut(NoiseSchedule schedule) {
            return schedule instanceof DiscreteSchedule table
                    ? TimeGrid.consistency(table, intervals, intervals)
                    : TimeGrid.uniform(schedule, intervals);
        }

        /** That of the sampler's own jumps. */
        private static DoubleFunction<BoundaryScaling> form(SolverSpec solver, NoiseSchedule schedule) {
            return solver instanceof SolverSpec.Lcm lcm
                    ? time -> new Lcm(lcm.timeScaling()).form(schedule, time)
                    : time -> BoundaryScaling.NONE;
        }

        @Override
        public void requireFit(Recipe recipe) {
            if (intervals == 0) {
                return;
            }
            try {
                cut(recipe.objective().process().noiseSchedule());
            } catch (IllegalArgumentException e) {
                throw new RetortException(
                        Kind.CONFIG, type() + ".intervals is " + intervals + ": " + e.getMessage(), e);
            }
        }

        @Override
        public ExtraPlayers extraPlayers(BuildContext players) {
            if (average == 0) {
                return ExtraPlayers.NONE;
            }
            return new ExtraPlayers(
                    List.of(new Player(
                            players.names().apply(TARGET),
                            players.copy(players.asStudent()),
                            new Player.Role.Follows(players.student(), average))),
                    List.of());
        }
    }
}
