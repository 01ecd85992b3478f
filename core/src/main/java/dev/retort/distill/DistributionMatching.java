package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.diffusion.step.ScoreIdentity;
import dev.retort.distill.step.DensityLevelLoss;
import dev.retort.distill.step.DensityLevels;
import dev.retort.distill.step.DensityWeight;
import dev.retort.distill.step.DistributionMatchingLoss;
import dev.retort.distill.step.GeneratedImagesLoss;
import dev.retort.distill.step.Renoised;
import dev.retort.distill.step.ScoreIdentityLoss;
import dev.retort.model.Predictor;
import dev.retort.train.Cadence;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import dev.retort.train.Weighted;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Distribution matching with a network that learns the student's images ("fake"): {@link DistributionMatchingLoss} (DMD2, f-distill) or
 * {@link ScoreIdentityLoss} (SiD).
 *
 * @param steps steps of the student's sampler, at each of which it is trained on states of its own making
 * @param ratio steps of that network for one of the student
 * @param method by what the student is led
 * @param divergence which divergence is made small; all but {@code reverse-kl} weigh images by what the critic of an {@code adversarial} loss of the same stage says
 * @param alpha the α of {@code sid} ({@link ScoreIdentity}), which {@code dmd} has none of: 1.2, beside an {@code adversarial} loss 1 in the paper's successor
 * @param noiseFrom cleanest time at which images are compared, as a share of the noisiest
 * @param noiseTo noisiest time, likewise
 * @param optimizer of that network
 */
public record DistributionMatching(
        LossWeight weight,
        int steps,
        int ratio,
        Method method,
        FDivergence divergence,
        double alpha,
        double noiseFrom,
        double noiseTo,
        OptimizerConfig optimizer)
        implements GameLoss {
    private static final String FAKE = "fake";
    private static final String LEVELS = "levels";
    private static final double ALPHA = 1.2;

    /** Ten means of ratios about 1: they move by some hundredths a step. */
    private static final OptimizerConfig OF_LEVELS = new OptimizerConfig(0.02, "constant", 0, 0, 0.99, 1e-8, 0, 0);

    /** By what a student is led. */
    public enum Method {
        /** The difference of what the fake and the teacher say (Yin et al. 2024, DMD2). */
        DMD,
        /** A loss with gradients through both (Zhou et al. 2024, score identity distillation). */
        SID
    }

    /** Validates. */
    public DistributionMatching {
        Require.atLeast("ratio", ratio, 1);
        Require.atLeast("alpha", alpha, 0);
        Require.that(
                method == Method.SID || alpha == ALPHA,
                "alpha",
                alpha,
                "to be left out with method dmd, which has none");
        Require.that(
                method == Method.DMD || divergence == FDivergence.REVERSE_KL,
                "divergence",
                divergence,
                "reverse-kl with method sid, which has a divergence of its own");
        GameLoss.requireRange(steps, noiseFrom, noiseTo);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        Map<String, Object> defaults = new HashMap<>();
        defaults.put("ratio", 5);
        defaults.put("method", Method.DMD);
        defaults.put("divergence", FDivergence.REVERSE_KL);
        defaults.put("alpha", ALPHA);
        defaults.put("noiseFrom", 0.02);
        defaults.put("noiseTo", 0.98);
        defaults.put("optimizer", OPPONENT);
        return defaults;
    }

    @Override
    public Optional<LossConfig> beside(List<LossConfig> stage) {
        return divergence == FDivergence.REVERSE_KL
                ? Optional.empty()
                : adversarial(stage).stream().map(LossConfig.class::cast).findFirst();
    }

    private static List<GameLoss.Adversarial> adversarial(List<LossConfig> stage) {
        return stage.stream()
                .filter(GameLoss.Adversarial.class::isInstance)
                .map(GameLoss.Adversarial.class::cast)
                .toList();
    }

    @Override
    public void requireFit(Recipe recipe) {
        GameLoss.super.requireFit(recipe);
        for (StageConfig stage : recipe.stages()) {
            if (stage.losses().contains(this) && divergence != FDivergence.REVERSE_KL) {
                requireCritic(adversarial(stage.losses()), stage.name());
            }
        }
    }

    /** The density ratio is that of the images of as many steps, at the times at which the critic was shown them. */
    private void requireCritic(List<GameLoss.Adversarial> critics, String stage) {
        Require.that(
                critics.size() == 1,
                "divergence",
                divergence,
                "reverse-kl, or beside it in stage " + stage
                        + " one adversarial loss, whose critic says how dense the data are; there are "
                        + critics.size());
        GameLoss.Adversarial told = critics.get(0);
        Require.that(
                told.steps() == steps && told.noiseFrom() <= noiseFrom && told.noiseTo() >= noiseTo,
                "divergence",
                divergence,
                "reverse-kl, or in stage " + stage + " a critic of the same images: give the adversarial loss steps="
                        + steps + ", noiseFrom=" + noiseFrom + " and noiseTo=" + noiseTo
                        + ", as distribution-matching has them");
    }

    @Override
    public Loss build(BuildContext players) {
        String fake = players.names().apply(FAKE);
        if (method == Method.SID) {
            return new ScoreIdentityLoss(
                    players.simulation(steps), players.teacher(), fake, renoised(players), new ScoreIdentity(alpha));
        }
        return new DistributionMatchingLoss(
                players.simulation(steps),
                players.teacher(),
                fake,
                renoised(players),
                divergence == FDivergence.REVERSE_KL
                        ? Optional.empty()
                        : Optional.of(new DensityWeight(
                                critic(players), players.names().apply(LEVELS), divergence)));
    }

    private static String critic(BuildContext players) {
        return players.beside().apply(GameLoss.Adversarial.CRITIC);
    }

    @Override
    public ExtraPlayers extraPlayers(BuildContext players) {
        Renoised renoised = renoised(players);
        Predictor teacher = players.asTeacher();
        ExtraPlayers fake = against(
                players.names().apply(FAKE),
                players.copy(teacher),
                new GeneratedImagesLoss(players.simulation(steps), renoised, players.schedule(), teacher.prediction()));
        if (divergence == FDivergence.REVERSE_KL) {
            return fake;
        }
        double noisiest = players.schedule().noisiestTime();
        String name = players.names().apply(LEVELS);
        Player levels = new Player(
                name,
                new DensityLevels(
                        teacher.images(), teacher.network().device(), noiseFrom * noisiest, noiseTo * noisiest),
                new Player.Role.Learns(OF_LEVELS));
        Loss mean = new DensityLevelLoss(players.simulation(steps), renoised, critic(players));
        Phase follows = new Phase(name, List.of(new Weighted(mean, 1, 1)), cadence());
        return new ExtraPlayers(
                Stream.concat(fake.players().stream(), Stream.of(levels)).toList(),
                Stream.concat(fake.phases().stream(), Stream.of(follows)).toList());
    }

    @Override
    public Cadence cadence() {
        return Cadence.every(ratio);
    }
}
