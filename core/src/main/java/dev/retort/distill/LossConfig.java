package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.SolverSetting;
import dev.retort.card.SolverSpec;
import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.distill.loss.OutputDistributionLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.distill.step.Simulation;
import dev.retort.distill.step.TeacherSteps;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.LayerMap;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Init;
import dev.retort.train.Cadence;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.Loss;
import dev.retort.train.Objective;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A loss of a stage, as it stands in a recipe. Losses that differ in their weight alone are one loss, whose parts live through the run. */
public sealed interface LossConfig
        permits StepLoss, LossConfig.Diffusion, LossConfig.Output, LossConfig.OutputDistribution, LossConfig.Feature {
    /**
     * What a loss is built from: who asks whom, and how.
     *
     * @param student name of the player that learns
     * @param asStudent how it is asked
     * @param teacher name of the player that it learns from
     * @param asTeacher how that one is asked
     * @param asOriginal how the recipe's own teacher is asked, also where an earlier student teaches
     * @param teacherSha256 of the weights of the recipe's teacher
     * @param objective how images are noised
     * @param sampling how the result is to be sampled
     * @param classes the labels that it is about; none for all
     * @param init initial values of the loss's own parts
     * @param names makes names of players that no other loss of the recipe has
     * @param beside the names that the loss has made which {@link LossConfig#beside} names
     * @param copies makes a copy of a network for a player that the loss brings along; it lives through the run
     */
    record BuildContext(
            String student,
            Predictor asStudent,
            String teacher,
            Predictor asTeacher,
            Predictor asOriginal,
            String teacherSha256,
            Objective objective,
            SamplingSpec sampling,
            List<Integer> classes,
            Init init,
            UnaryOperator<String> names,
            UnaryOperator<String> beside,
            UnaryOperator<Network> copies) {
        /** A network of the same weights, asked in the same way but without guidance. */
        Predictor copy(Predictor of) {
            return of.with(copies.apply(of.network())).withGuidance(1);
        }

        NetworkSpec ofStudent() {
            return asStudent.network().spec();
        }

        NetworkSpec ofTeacher() {
            return asTeacher.network().spec();
        }

        /** The student's sampler in so many steps: where it calls. */
        TimeGrid grid(int steps) {
            return sampling.withSteps(steps).grid().on(schedule(), steps);
        }

        /** And what it does there, each call of the network taken as x0. */
        Plan planOfX0(int steps) {
            SamplingSpec asked = sampling.withSteps(steps);
            Process process = new Process(
                    schedule(),
                    Prediction.X0,
                    asked.clamp().over(objective.process().process().clamp()));
            return SamplingPlan.of(process, asked, false);
        }

        /** Where the teacher's steps lead while the student takes one of so many. */
        TeacherSteps teacherSteps(int steps, int ratio, SolverSpec solver) {
            return new TeacherSteps(
                    teacher,
                    schedule(),
                    grid(steps),
                    solver.solver(new SolverSetting(schedule(), steps * ratio, false, 1)),
                    ratio);
        }

        /** The student's own images. */
        Simulation simulation(int steps) {
            return new Simulation(student, planOfX0(steps));
        }

        NoiseSchedule schedule() {
            return objective.process().noiseSchedule();
        }
    }

    /**
     * Players that a loss brings along, such as a critic, and how they are trained.
     *
     * @param players beside student and teacher
     * @param phases that train them, before the student's
     */
    record ExtraPlayers(List<Player> players, List<Phase> phases) {
        /** Nobody. */
        static final ExtraPlayers NONE = new ExtraPlayers(List.of(), List.of());
    }

    /** How much it counts. */
    LossWeight weight();

    /** Reads a loss in which {@code from} and {@code to} stand beside its own fields, as they once did, and a weight that is a number. */
    static void upgrade(ObjectNode loss) {
        JsonNode weight = loss.get("weight");
        if (weight != null && weight.isNumber()) {
            loss.putObject("weight").<ObjectNode>set("from", weight).set("to", weight);
        }
        for (String end : new String[] {"from", "to"}) {
            JsonNode beside = loss.remove(end);
            if (beside != null) {
                loss.withObject("/weight").set(end, beside);
            }
        }
    }

    /** The loss itself. */
    Loss build(BuildContext players);

    /** Who takes part for its sake. */
    default ExtraPlayers extraPlayers(BuildContext players) {
        return ExtraPlayers.NONE;
    }

    /**
     * The loss of the same stage whose players it asks too; empty for none.
     *
     * @param stage all losses of the stage
     */
    default Optional<LossConfig> beside(List<LossConfig> stage) {
        return Optional.empty();
    }

    /** At which steps the student is trained where this is among its losses. */
    default Cadence cadence() {
        return Cadence.EVERY_STEP;
    }

    /** The word that chooses it in a recipe. */
    default String type() {
        return CardFile.tree(this).get("type").asString();
    }

    /** How often it asks the teacher about an image. */
    default int teacherCalls() {
        return 1;
    }

    /**
     * Refuses a recipe in which it makes no sense.
     *
     * @throws RetortException of kind CONFIG
     */
    default void requireFit(Recipe recipe) {}

    /** What a student must be told for its sake, beside time and class. */
    default ScalarInputs tells(Recipe recipe) {
        return ScalarInputs.NONE;
    }

    /** How many outputs a student must have for its sake. */
    default int outputs() {
        return 1;
    }

    /** Whether it takes a derivative of the student's answer along a path, exactly or as a difference of two near answers. */
    default boolean takesDerivative() {
        return false;
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
    record Diffusion(LossWeight weight) implements LossConfig {
        @Override
        public Loss build(BuildContext players) {
            return new DiffusionLoss(players.objective());
        }

        @Override
        public int teacherCalls() {
            return 0;
        }
    }

    /**
     * Squared difference to the teacher's output.
     *
     * @param space prediction space of the difference: {@code epsilon}, {@code x0}, {@code v} or {@code flow}
     */
    record Output(LossWeight weight, Prediction space) implements LossConfig {
        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("space", Prediction.FLOW);
        }

        @Override
        public Loss build(BuildContext players) {
            return new OutputLoss(players.teacher(), players.schedule(), space);
        }
    }

    /**
     * Divergence between the reverse transitions of teacher and student.
     *
     * @param temperature factor on both standard deviations, above 0
     */
    record OutputDistribution(LossWeight weight, double temperature) implements LossConfig {
        /** Validates. */
        public OutputDistribution {
            Require.positive("temperature", temperature);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("temperature", 1);
        }

        @Override
        public Loss build(BuildContext players) {
            return new OutputDistributionLoss(players.teacher(), players.schedule(), temperature);
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
    record Feature(LossWeight weight, String map, boolean normalise, double outlierStd) implements LossConfig {
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
        public Loss build(BuildContext players) {
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
