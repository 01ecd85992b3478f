package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How data are noised and what a network returns, as it stands in configurations and cards.
 *
 * @param schedule how noise grows with time
 * @param prediction what the network returns
 * @param clamp bound on the predicted clean sample in sampling: 1 for pixels, 0 for none
 */
public record ProcessSpec(ScheduleSpec schedule, Prediction prediction, double clamp) {
    /** What stood beside the schedule's name, and for which schedules it meant something. */
    private static final Map<String, List<String>> ONCE_BESIDE = Map.of(
            "flow", List.of("steps"),
            "linear", List.of("steps", "betaStart", "betaEnd", "zeroTerminalSnr"),
            "scaled-linear", List.of("steps", "betaStart", "betaEnd", "zeroTerminalSnr"),
            "cosine", List.of("steps", "zeroTerminalSnr"));

    /** Validates. */
    public ProcessSpec {
        Require.that(schedule != null, "schedule", null, "the name of a schedule");
        Require.that(prediction != null, "prediction", null, "epsilon, x0, v or flow");
        Require.atLeast("clamp", clamp, 0);
    }

    /** A process whose schedule is given by its line, such as {@code linear:betaEnd=0.02}. */
    public static ProcessSpec of(String schedule, Prediction prediction, double clamp) {
        return new ProcessSpec(OneLine.parse(ScheduleSpec.class, schedule), prediction, clamp);
    }

    /** Flow matching on pixels: times 0..1000, velocity prediction, pixels in [-1, 1]. */
    public static ProcessSpec flow() {
        return new ProcessSpec(new ScheduleSpec.Flow(), Prediction.FLOW, 1);
    }

    /** The paper's process: 1000 steps, betas 1e-4 to 0.02, noise prediction, no bounds. */
    public static ProcessSpec ddpm() {
        return new ProcessSpec(new ScheduleSpec.Linear(), Prediction.EPSILON, 0);
    }

    /** Once the schedule's settings stood beside its name, for every schedule all of them. */
    public static void upgrade(ObjectNode fields) {
        String name = fields.path("schedule").asString("");
        List<String> options = new ArrayList<>();
        for (String field : List.of("steps", "betaStart", "betaEnd", "zeroTerminalSnr")) {
            JsonNode value = fields.get(field);
            if (value != null && !name.isEmpty() && !name.contains(":")) {
                fields.remove(field);
                if (ONCE_BESIDE.getOrDefault(name, List.of()).contains(field)) {
                    options.add(field + "=" + value.asString());
                }
            }
        }
        if (!options.isEmpty()) {
            fields.put("schedule", name + ":" + String.join(",", options));
        }
    }

    /** The process itself. */
    public Process process() {
        return new Process(noiseSchedule(), prediction, clamp == 0 ? Clamp.NONE : Clamp.to(clamp));
    }

    /** The schedule itself. */
    public NoiseSchedule noiseSchedule() {
        return schedule.noise();
    }

    /** Whether the schedule's last level is rescaled to pure noise. */
    public boolean zeroTerminalSnr() {
        return schedule instanceof ScheduleSpec.Table table && table.zeroTerminalSnr();
    }
}
