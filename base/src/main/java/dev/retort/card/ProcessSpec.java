package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.CosineLogSnr;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TrigFlow;
import java.util.List;

/**
 * How data are noised and what a network returns, as it stands in configurations and checkpoints.
 *
 * @param schedule {@code flow}, {@code linear}, {@code scaled-linear}, {@code cosine}, {@code cosine-log-snr},
 *     {@code karras} or {@code trig-flow}
 * @param steps entries of a table (1000 for {@code linear}, {@code scaled-linear}, {@code cosine}); the time a flow's
 *     network is told at pure noise
 * @param betaStart first beta of {@code linear} and {@code scaled-linear}
 * @param betaEnd last beta of {@code linear} and {@code scaled-linear}
 * @param zeroTerminalSnr whether a table is rescaled so that its last entry is pure noise
 * @param prediction what the network returns
 * @param clamp bound on the predicted clean sample in sampling: 1 for pixels, 0 for none
 */
public record ProcessSpec(
        String schedule,
        int steps,
        double betaStart,
        double betaEnd,
        boolean zeroTerminalSnr,
        Prediction prediction,
        double clamp) {
    private static final List<String> SCHEDULES =
            List.of("flow", "linear", "scaled-linear", "cosine", "cosine-log-snr", "karras", "trig-flow");

    /** Validates. */
    public ProcessSpec {
        Require.oneOf("schedule", schedule, SCHEDULES);
        Require.atLeast("steps", steps, 1);
        Require.atLeast("clamp", clamp, 0);
        if (schedule.equals("linear") || schedule.equals("scaled-linear")) {
            Require.that(betaStart > 0 && betaStart < 1, "betaStart", betaStart, "above 0 and below 1");
            Require.that(betaEnd > 0 && betaEnd < 1, "betaEnd", betaEnd, "above 0 and below 1");
        }
    }

    /** Flow matching on pixels: times 0..1000, velocity prediction, pixels in [-1, 1]. */
    public static ProcessSpec flow() {
        return new ProcessSpec("flow", 1000, 0, 0, false, Prediction.FLOW, 1);
    }

    /** The paper's process: 1000 steps, betas 1e-4 to 0.02, noise prediction, no bounds. */
    public static ProcessSpec ddpm() {
        return new ProcessSpec("linear", 1000, 1e-4, 0.02, false, Prediction.EPSILON, 0);
    }

    /** The process itself. */
    public Process process() {
        return new Process(noiseSchedule(), prediction, clamp == 0 ? Clamp.NONE : Clamp.to(clamp));
    }

    /** The schedule itself. */
    public NoiseSchedule noiseSchedule() {
        return switch (schedule) {
            case "flow" -> new FlowLinear(steps);
            case "linear" -> table(DiscreteSchedule.linear(steps, betaStart, betaEnd));
            case "scaled-linear" -> table(DiscreteSchedule.scaledLinear(steps, betaStart, betaEnd));
            case "cosine" -> table(DiscreteSchedule.cosine(steps));
            case "cosine-log-snr" -> new CosineLogSnr();
            case "karras" -> new KarrasSchedule();
            default -> new TrigFlow(1);
        };
    }

    private NoiseSchedule table(DiscreteSchedule table) {
        return zeroTerminalSnr ? table.withZeroTerminalSnr() : table;
    }
}
