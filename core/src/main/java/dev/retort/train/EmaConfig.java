package dev.retort.train;

import dev.retort.config.Require;
import java.util.List;

/**
 * Moving averages of the weights.
 *
 * @param decays full decays; the first one is what is sampled and exported
 */
public record EmaConfig(List<Double> decays) {
    /** Validates. */
    public EmaConfig {
        Require.notEmpty("decays", decays);
        for (double decay : decays) {
            Require.between("decays", decay, 0, 0.9999999);
        }
    }
}
