package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.config.Require;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.distill.loss.OutputDistributionLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.Loss;
import dev.retort.train.Objective;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A loss of a stage, as it stands in a recipe. Its weight runs linearly from {@code from} to {@code to} over the stage. */
public sealed interface LossConfig {
    /**
     * Between whom a loss is to be.
     *
     * @param student name of the player that learns
     * @param ofStudent what its network is
     * @param teacher name of the player that it learns from
     * @param ofTeacher what its network is
     * @param objective how images are noised
     * @param init initial values of the loss's own parts
     */
    record Between(
            String student,
            NetworkSpec ofStudent,
            String teacher,
            NetworkSpec ofTeacher,
            Objective objective,
            Init init) {}

    /** Weight at the stage's start. */
    double from();

    /** Weight at its end. */
    double to();

    /** The same with the weight 1: losses that are equal then are one loss, whose parts live through the run. */
    LossConfig unweighted();

    /** The loss itself. */
    Loss build(Between players);

    /** Whether it asks the teacher. */
    default boolean asksTeacher() {
        return true;
    }

    /** Whether it has a meaning between networks of images of different sizes. */
    default boolean bridgesSizes() {
        return true;
    }

    /**
     * How many of the student's first blocks it trains; one more than there are where it trains the output too.
     *
     * @param student blocks of the student
     * @param teacher blocks of the teacher
     */
    default int reach(int student, int teacher) {
        return student + 1;
    }

    /** The plain training loss on the data. */
    record Diffusion(double from, double to) implements LossConfig {
        @Override
        public LossConfig unweighted() {
            return new Diffusion(1, 1);
        }

        @Override
        public Loss build(Between players) {
            return new DiffusionLoss(players.objective());
        }

        @Override
        public boolean asksTeacher() {
            return false;
        }
    }

    /**
     * Squared difference to the teacher's output.
     *
     * @param space prediction space of the difference: {@code epsilon}, {@code x0}, {@code v} or {@code flow}
     */
    record Output(double from, double to, Prediction space) implements LossConfig {
        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("space", Prediction.FLOW);
        }

        @Override
        public LossConfig unweighted() {
            return new Output(1, 1, space);
        }

        @Override
        public Loss build(Between players) {
            return new OutputLoss(
                    players.teacher(), players.objective().process().noiseSchedule(), space);
        }
    }

    /**
     * Divergence between the reverse transitions of teacher and student.
     *
     * @param temperature factor on both standard deviations, above 0
     */
    record OutputDistribution(double from, double to, double temperature) implements LossConfig {
        /** Validates. */
        public OutputDistribution {
            Require.positive("temperature", temperature);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("temperature", 1);
        }

        @Override
        public LossConfig unweighted() {
            return new OutputDistribution(1, 1, temperature);
        }

        @Override
        public Loss build(Between players) {
            return new OutputDistributionLoss(
                    players.teacher(), players.objective().process().noiseSchedule(), temperature);
        }

        @Override
        public boolean bridgesSizes() {
            return false;
        }
    }

    /**
     * Masked, normalised squared difference of block outputs.
     *
     * @param map {@code uniform}, or pairs such as {@code 0-1,1-3,2-7} (student-teacher, from 0)
     * @param normalise divide each layer's difference by the teacher's mean square there
     * @param outlierStd leave out values beyond this many standard deviations; 0 keeps all
     */
    record Feature(double from, double to, String map, boolean normalise, double outlierStd) implements LossConfig {
        /** Validates. */
        public Feature {
            Require.that(
                    map.equals("uniform") || map.matches("\\d+-\\d+(,\\d+-\\d+)*"),
                    "map",
                    map,
                    "uniform, or pairs such as 0-1,1-3 (student-teacher)");
            Require.atLeast("outlierStd", outlierStd, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("map", "uniform", "normalise", true, "outlierStd", 2);
        }

        @Override
        public LossConfig unweighted() {
            return new Feature(1, 1, map, normalise, outlierStd);
        }

        @Override
        public Loss build(Between players) {
            return new FeatureLoss(
                    players.student(),
                    players.teacher(),
                    pairs(
                            players.ofStudent().taps().size(),
                            players.ofTeacher().taps().size()),
                    players.ofStudent().taps(),
                    players.ofTeacher().taps(),
                    normalise,
                    outlierStd,
                    players.init());
        }

        @Override
        public int reach(int student, int teacher) {
            return pairs(student, teacher).stream()
                            .mapToInt(LayerMap.Pair::student)
                            .max()
                            .orElseThrow()
                    + 1;
        }

        /**
         * The pairs for networks of so many blocks.
         *
         * @throws RetortException of kind CONFIG when a block does not exist
         */
        private List<LayerMap.Pair> pairs(int student, int teacher) {
            if (map.equals("uniform")) {
                return LayerMap.uniform(student, teacher);
            }
            List<LayerMap.Pair> pairs = Arrays.stream(map.split(","))
                    .map(pair -> pair.split("-"))
                    .map(pair -> new LayerMap.Pair(Integer.parseInt(pair[0]), Integer.parseInt(pair[1])))
                    .toList();
            try {
                return LayerMap.checked(pairs, student, teacher);
            } catch (IllegalArgumentException e) {
                throw new RetortException(Kind.CONFIG, "feature." + e.getMessage(), e);
            }
        }
    }
}
