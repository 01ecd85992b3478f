package dev.retort.distill;

import dev.retort.card.TapPoint;
import dev.retort.card.TrainedFor;
import dev.retort.config.Require;
import dev.retort.distill.step.AdversarialLoss;
import dev.retort.distill.step.Critic;
import dev.retort.distill.step.CriticLoss;
import dev.retort.distill.step.GeneratedImages;
import dev.retort.distill.step.Renoised;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Predictor;
import dev.retort.model.Respondent;
import dev.retort.train.Cadence;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import dev.retort.train.Weighted;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Losses of a student against a player that learns from its images. */
public sealed interface GameLoss extends StepLoss permits DistributionMatching, GameLoss.Adversarial, AdversarialStep {
    /** How that player learns where a recipe does not say it: without momentum, as what it learns from moves. */
    OptimizerConfig OPPONENT = new OptimizerConfig(1e-4, "constant", 0, 0, 0.99, 1e-8, 0, 1);

    /** Steps of the student's sampler, at each of which it is trained on states of its own making. */
    int steps();

    /** Cleanest time at which its images are looked at, as a share of the noisiest. */
    double noiseFrom();

    /** Noisiest time, likewise. */
    double noiseTo();

    /** How the other player learns. */
    OptimizerConfig optimizer();

    @Override
    default void requireFit(Recipe recipe) {
        Checks.requireSteps(recipe, type(), steps());
    }

    @Override
    default TrainedFor trains(Lesson lesson) {
        return TrainedFor.steps(steps(), lesson.sampling(), lesson.taught().guidance());
    }

    /** The student's sampler tells it where its steps end. */
    @Override
    default boolean asksBeyondVelocity() {
        return false;
    }

    /** How the student's images are looked at. */
    default Renoised renoised(BuildContext players) {
        return new Renoised(players.schedule(), noiseFrom(), noiseTo());
    }

    /** The other player, which learns by a loss at every step. */
    default ExtraPlayers against(String name, Respondent asked, Loss loss) {
        return new ExtraPlayers(
                List.of(new Player(name, asked, new Player.Role.Learns(optimizer()))),
                List.of(new Phase(name, List.of(new Weighted(loss, 1, 1)), Cadence.EVERY_STEP)));
    }

    /** A critic that sees one image at a time learns nothing of the others (LADD's field reports: mode collapse). */
    static void requireBatch(Recipe recipe) {
        if (recipe.run().batch() < 2) {
            throw new RetortException(
                    Kind.CONFIG,
                    "run.batch is " + recipe.run().batch()
                            + ", expected at least 2 for an adversarial loss: the critic would see one image at a time");
        }
    }

    /** Some of a network's intermediates at even distance, the last among them. */
    static List<TapPoint> spread(int heads, List<TapPoint> all) {
        Require.between("heads", heads, 1, all.size());
        return IntStream.range(0, heads)
                .mapToObj(i -> all.get((i + 1) * all.size() / heads - 1))
                .toList();
    }

    /** Refuses numbers of which no game can be made. */
    static void requireRange(int steps, double noiseFrom, double noiseTo) {
        Require.atLeast("steps", steps, 1);
        Require.between("noiseFrom", noiseFrom, 0, 1);
        Require.between("noiseTo", noiseTo, noiseFrom, 1);
    }

    /** By what a critic sees. */
    enum Backbone {
        /** The teacher's blocks as they are (Sauer et al. 2024, LADD). */
        FROZEN,
        /** A copy of them that learns with the heads (Lin et al. 2024, SDXL-Lightning). */
        TRAINED
    }

    /**
     * An adversarial game against heads on the teacher's intermediates.
     *
     * @param steps steps of the student's sampler, at each of which it is trained on states of its own making
     * @param heads how many of the teacher's intermediates are looked at, at even distance
     * @param width hidden values of a head
     * @param backbone whether the blocks below the heads learn with them
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
            Backbone backbone,
            double penalty,
            double noiseFrom,
            double noiseTo,
            OptimizerConfig optimizer)
            implements GameLoss {
        /** Name of the player that tells real images from made ones. */
        static final String CRITIC = "critic";

        /** Validates. */
        public Adversarial {
            Require.atLeast("heads", heads, 1);
            Require.atLeast("width", width, 1);
            Require.atLeast("penalty", penalty, 0);
            requireRange(steps, noiseFrom, noiseTo);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of(
                    "heads",
                    3,
                    "width",
                    64,
                    "backbone",
                    Backbone.FROZEN,
                    "penalty",
                    1e-3,
                    "noiseFrom",
                    0.05,
                    "noiseTo",
                    0.7,
                    "optimizer",
                    OPPONENT);
        }

        /** It finishes a student, whatever guidance is in it. */
        @Override
        public TrainedFor trains(Lesson lesson) {
            return TrainedFor.steps(steps, lesson.sampling(), lesson.before().guidance());
        }

        /** Its heads learn from any intermediates: what the teacher itself answers there does not matter. */
        @Override
        public Optional<double[]> teacherTimes(Recipe recipe) {
            return Optional.of(new double[0]);
        }

        @Override
        public void requireFit(Recipe recipe) {
            GameLoss.super.requireFit(recipe);
            GameLoss.requireBatch(recipe);
        }

        @Override
        public Loss build(BuildContext players) {
            return new AdversarialLoss(
                    new GeneratedImages(players.simulation(steps), renoised(players)),
                    players.names().apply(CRITIC));
        }

        @Override
        public ExtraPlayers extraPlayers(BuildContext players) {
            boolean trained = backbone == Backbone.TRAINED;
            Predictor teacher = players.asTeacher();
            Critic critic = new Critic(
                    players.init().at(CRITIC),
                    trained ? players.copy(teacher) : teacher.withGuidance(1),
                    trained,
                    GameLoss.spread(heads, players.ofTeacher().taps()),
                    width,
                    false);
            Loss loss = new CriticLoss(new GeneratedImages(players.simulation(steps), renoised(players)), penalty);
            return against(players.names().apply(CRITIC), critic, loss);
        }
    }
}
