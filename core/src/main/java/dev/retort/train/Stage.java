package dev.retort.train;

import dev.retort.config.Require;
import dev.retort.quantize.FakeQuantization;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A stretch of a run with fixed phases.
 *
 * @param name name in logs
 * @param images images seen in this stage
 * @param phases what happens at each step, in order
 * @param starts with which weights players begin it; who is not named goes on with its own
 * @param optimizers settings that hold in this stage alone, by player; their rate runs over the stage, whereas a player's own
 *     runs over the run
 * @param adapters what players have in this stage alone, and train instead of their weights
 * @param quantized how players compute from this stage on, where they do not yet: as their result will once it is quantised
 * @param gone who takes part no longer, from this stage on: what they have is freed, and no checkpoint holds it
 */
public record Stage(
        String name,
        long images,
        List<Phase> phases,
        Map<String, Start> starts,
        Map<String, OptimizerConfig> optimizers,
        Map<String, Adapters> adapters,
        Map<String, FakeQuantization> quantized,
        Set<String> gone) {
    /** Validates. */
    public Stage {
        Require.atLeast("images", images, 1);
        Require.notEmpty("phases", phases);
        gone = Set.copyOf(gone);
    }

    /** A stage in which nobody has adapters or is quantised. */
    public Stage(
            String name,
            long images,
            List<Phase> phases,
            Map<String, Start> starts,
            Map<String, OptimizerConfig> optimizers) {
        this(name, images, phases, starts, optimizers, Map.of(), Map.of(), Set.of());
    }

    /** The same, in which some players take part no longer. */
    public Stage without(Set<String> players) {
        return new Stage(name, images, phases, starts, optimizers, adapters, quantized, players);
    }

    /** A stage in which one player learns at every step. */
    public Stage(String name, long images, String player, List<Weighted> losses) {
        this(name, images, List.of(new Phase(player, losses, Cadence.EVERY_STEP)), Map.of(), Map.of());
    }
}
