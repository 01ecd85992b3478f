package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.SolverSetting;
import dev.retort.card.SolverSpec;
import dev.retort.card.TextCard;
import dev.retort.config.CardFile;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.distill.loss.OutputDistributionLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.distill.step.Simulation;
import dev.retort.distill.step.TeacherSteps;
import dev.retort.error.RetortException;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Init;
import dev.retort.train.Cadence;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.Loss;
import dev.retort.train.Objective;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import dev.retort.train.Ramp;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A loss of a stage, as it stands in a recipe. Losses that differ in their weight alone are one loss, whose parts live through the run. */
public sealed interface LossConfig
        permits StepLoss, LossConfig.Diffusion, LossConfig.Output, LossConfig.OutputDistribution, Feature {
    /**
     * What a loss is built from: who asks whom, and how.
     *
     * @param student name of the player that learns
     * @param asStudent how it is asked
     * @param teacher name of the player that it learns from
     * @param asTeacher how that one is asked
     * @param asOriginal how the recipe's own teacher is asked, also where an earlier student teaches
     * @param teacherSha256 of the weights of the recipe's teacher
     * @param text how that one is told texts; empty where it is told none
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
            Optional<TextCard> text,
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

        /** A loss, on images of which the teacher is sure where that counts. */
        Loss masked(Loss loss, Optional<Confidence> confidence) {
            return confidence.map(some -> some.mask(loss, teacher)).orElse(loss);
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

    /**
     * Reads a loss in which {@code from} and {@code to} stand beside its own fields, as they once did, a weight or temperature that is a
     * number, a map whose pairs are fields, and {@code normalise} as true or false.
     */
    static void upgrade(ObjectNode loss) {
        for (String ramp : new String[] {"weight", "temperature"}) {
            JsonNode constant = loss.get(ramp);
            if (constant != null && constant.isNumber()) {
                loss.putObject(ramp).<ObjectNode>set("from", constant).set("to", constant);
            }
        }
        if (loss.get("map") instanceof ObjectNode pairs) {
            loss.put(
                    "map",
                    pairs.properties().stream()
                            .map(pair -> pair.getKey() + "-" + pair.getValue().asString())
                            .collect(Collectors.joining(",")));
        }
        JsonNode normalise = loss.get("normalise");
        if (normalise != null && normalise.isBoolean()) {
            loss.put("normalise", normalise.booleanValue() ? "mean-square" : "none");
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
     * @throws RetortException of kind CONFIG where the two do not fit it
     */
    default int reach(NetworkSpec student, NetworkSpec teacher) {
        return student.taps().size() + 1;
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
     * @param confidence how much an image counts for the sake of the teacher's confidence; all the same where left out
     */
    record Output(LossWeight weight, Prediction space, Optional<Confidence> confidence) implements LossConfig {
        /** On all images alike. */
        public Output(LossWeight weight, Prediction space) {
            this(weight, space, Optional.empty());
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("space", Prediction.FLOW);
        }

        @Override
        public Loss build(BuildContext players) {
            Loss loss = new OutputLoss(players.teacher(), players.schedule(), space);
            return players.masked(loss, confidence);
        }

        @Override
        public int teacherCalls() {
            return confidence.isPresent() ? 2 : 1;
        }
    }

    /**
     * Divergence between the reverse transitions of teacher and student.
     *
     * @param temperature factor on both standard deviations
     * @param confidence how much an image counts for the sake of the teacher's confidence; all the same where left out
     */
    record OutputDistribution(LossWeight weight, Temperature temperature, Optional<Confidence> confidence)
            implements LossConfig {
        /** At one temperature, on all images alike. */
        public OutputDistribution(LossWeight weight, double temperature) {
            this(weight, Temperature.of(temperature), Optional.empty());
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("temperature", Temperature.of(1));
        }

        @Override
        public Loss build(BuildContext players) {
            Loss loss = new OutputDistributionLoss(players.teacher(), players.schedule(), temperature.ramp());
            return players.masked(loss, confidence);
        }

        @Override
        public int teacherCalls() {
            return confidence.isPresent() || temperature.over() == Ramp.Span.CONFIDENCE ? 2 : 1;
        }

        @Override
        public boolean bridgesSizes() {
            return false;
        }
    }
}
