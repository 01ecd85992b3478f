package dev.retort.distill;

import dev.retort.card.SolverSpec;
import dev.retort.config.Require;
import dev.retort.distill.step.AdversarialLoss;
import dev.retort.distill.step.Critic;
import dev.retort.distill.step.CriticInput;
import dev.retort.distill.step.CriticLoss;
import dev.retort.distill.step.StepEnds;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Progressive distillation by a critic (Lin et al. 2024, SDXL-Lightning): it tells where a step of the student lands from where several of the
 * teacher do. It is a copy of the recipe's own teacher that learns with heads on its intermediates, also where an earlier student teaches.
 *
 * @param steps steps of the student, on the grid of {@code run.sampling}
 * @param ratio steps of the teacher for one of the student's
 * @param solver how the teacher steps
 * @param conditional whether the critic also sees the state that the step began with, so that the student must go the teacher's way; without it
 *     an end that is as likely will do, which is sharper and comes last
 * @param heads how many of the critic's intermediates are looked at, at even distance
 * @param width hidden values of a head
 * @param penalty the γ of the gradient penalty; 0 for none, as in the paper, whose batches of 512 do without
 * @param noiseFrom cleanest time at which clean ends are judged, as a share of the noisiest; for 1 step 0.01
 * @param noiseTo noisiest time, likewise; 0 shows them as they are, which is refused for 1 step: 0.75
 * @param optimizer of the critic, which should learn some ten times as fast as the student
 */
public record AdversarialStep(
        LossWeight weight,
        int steps,
        int ratio,
        SolverSpec solver,
        boolean conditional,
        int heads,
        int width,
        double penalty,
        double noiseFrom,
        double noiseTo,
        OptimizerConfig optimizer)
        implements GameLoss {
    private static final String CRITIC = "critic";

    /** Ten times the rate at which a student is finished: at the student's own pace a critic stays at chance, and the student wanders off. */
    private static final OptimizerConfig TEN_TIMES_FASTER =
            new OptimizerConfig(1e-3, "constant", 0, 0, 0.99, 1e-8, 0, 1);

    /** Validates. */
    public AdversarialStep {
        StepLoss.requireStepsOfTeacher(2, ratio, solver);
        Require.atLeast("heads", heads, 1);
        Require.atLeast("width", width, 1);
        Require.atLeast("penalty", penalty, 0);
        GameLoss.requireRange(steps, noiseFrom, noiseTo);
        Require.that(
                steps > 1 || noiseTo > 0,
                "noiseTo",
                noiseTo,
                "above 0 with steps 1, such as noiseFrom 0.01 and noiseTo 0.75: both ends of the only step are clean images, and a critic tells"
                        + " these apart at once");
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        Map<String, Object> defaults = new HashMap<>();
        defaults.put("ratio", 2);
        defaults.put("solver", new SolverSpec.Ddim());
        defaults.put("conditional", false);
        defaults.put("heads", 3);
        defaults.put("width", 64);
        defaults.put("penalty", 0.3);
        defaults.put("noiseFrom", 0);
        defaults.put("noiseTo", 0);
        defaults.put("optimizer", TEN_TIMES_FASTER);
        return defaults;
    }

    @Override
    public void requireFit(Recipe recipe) {
        GameLoss.super.requireFit(recipe);
        GameLoss.requireBatch(recipe);
    }

    @Override
    public int teacherCalls() {
        return ratio;
    }

    @Override
    public Optional<double[]> teacherTimes(Recipe recipe) {
        return Optional.of(StepLoss.timesOfTeacher(recipe, steps, ratio));
    }

    @Override
    public boolean asksBeyondVelocity() {
        return true;
    }

    private CriticInput input(BuildContext players) {
        return new StepEnds(
                players.student(), players.teacherSteps(steps, ratio, solver), renoised(players), conditional);
    }

    @Override
    public Loss build(BuildContext players) {
        return new AdversarialLoss(input(players), players.names().apply(CRITIC));
    }

    @Override
    public ExtraPlayers extraPlayers(BuildContext players) {
        Critic critic = new Critic(
                players.init().at(CRITIC),
                players.copy(players.asOriginal()),
                true,
                GameLoss.spread(heads, players.asOriginal().network().spec().taps()),
                width,
                conditional);
        return against(players.names().apply(CRITIC), critic, new CriticLoss(input(players), penalty));
    }
}
