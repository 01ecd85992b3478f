package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.train.OptimizerConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A stage of a recipe.
 *
 * @param name name in logs
 * @param images images seen in it
 * @param losses what is minimised
 * @param teacher who is asked: empty for the recipe's teacher, or the name of an earlier stage, for the student as it was at
 *     that stage's end
 * @param optimizer settings that hold in this stage alone, whose rate runs over it; the student then begins it with its
 *     first moving average and a fresh optimiser. Without them the run's go on
 * @param trains parts of names of the student's parameters, of which those alone are moved; empty for all
 * @param lora adapters that learn instead of the student's weights, and are merged into these at the stage's end
 * @param quantize how the student computes from this stage on: as it will once it is quantised, which the run's result is
 */
public record StageConfig(
        String name,
        long images,
        List<LossConfig> losses,
        String teacher,
        Optional<OptimizerConfig> optimizer,
        List<String> trains,
        Optional<LoraConfig> lora,
        Optional<QuantizeConfig> quantize) {
    /** Validates. */
    public StageConfig {
        Require.that(!name.isBlank(), "name", name, "a word");
        Require.atLeast("images", images, 1);
        Require.notEmpty("losses", losses);
        Require.that(
                lora.isEmpty() || trains.isEmpty(),
                "trains",
                trains,
                "nothing beside lora, whose targets say what learns");
        Require.that(
                lora.isEmpty() || quantize.isEmpty(),
                "lora",
                "given beside quantize",
                "neither or one of them: adapters are merged at a stage's end, which would move weights off the values that"
                        + " they were trained to have; let a stage with lora come before");
    }

    /** A stage in which weights or adapters learn, in floats. */
    public StageConfig(
            String name,
            long images,
            List<LossConfig> losses,
            String teacher,
            Optional<OptimizerConfig> optimizer,
            List<String> trains,
            Optional<LoraConfig> lora) {
        this(name, images, losses, teacher, optimizer, trains, lora, Optional.empty());
    }

    /** A stage in which weights learn. */
    public StageConfig(
            String name,
            long images,
            List<LossConfig> losses,
            String teacher,
            Optional<OptimizerConfig> optimizer,
            List<String> trains) {
        this(name, images, losses, teacher, optimizer, trains, Optional.empty());
    }

    /** A stage with the recipe's teacher and the run's optimiser. */
    public StageConfig(String name, long images, List<LossConfig> losses) {
        this(name, images, losses, "", Optional.empty(), List.of());
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("teacher", "", "trains", List.of());
    }
}
