package dev.retort.distill;

import dev.retort.config.Require;
import java.util.List;

/**
 * A stage of a recipe.
 *
 * @param name name in logs
 * @param images images seen in it
 * @param losses what is minimised
 */
public record StageConfig(String name, long images, List<LossConfig> losses) {
    /** Validates. */
    public StageConfig {
        Require.that(!name.isBlank(), "name", name, "a word");
        Require.atLeast("images", images, 1);
        Require.notEmpty("losses", losses);
    }
}
