package dev.retort.train;

import dev.retort.config.Require;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One player's part of a step: its losses, then its optimiser.
 *
 * @param player who is trained
 * @param losses what is minimised
 * @param cadence at which steps
 */
public record Phase(String player, List<Weighted> losses, Cadence cadence) {
    /** Validates. */
    public Phase {
        Require.notEmpty("losses", losses);
    }

    /** Whether one of its losses looks at the whole batch at once, so that it cannot be computed in parts. */
    public boolean isWholeBatch() {
        return losses.stream().anyMatch(weighted -> weighted.loss().wholeBatch());
    }

    /** The intermediates of each player that some loss needs; players without any are not named. */
    public Map<String, Set<String>> taps() {
        Map<String, Set<String>> taps = new LinkedHashMap<>();
        losses.forEach(weighted -> weighted.loss().taps().forEach((player, names) -> taps.computeIfAbsent(
                        player, key -> new LinkedHashSet<>())
                .addAll(names)));
        return taps;
    }
}
