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
 * @param trains parts of names of its player's parameters, of which those alone are moved; empty for all
 */
public record Phase(String player, List<Weighted> losses, Cadence cadence, List<String> trains) {
    /** Validates. */
    public Phase {
        Require.notEmpty("losses", losses);
    }

    /** A phase that moves all of its player's parameters. */
    public Phase(String player, List<Weighted> losses, Cadence cadence) {
        this(player, losses, cadence, List.of());
    }

    /** Whether a parameter of its player is moved. */
    boolean trains(String parameter) {
        return trains.isEmpty() || trains.stream().anyMatch(parameter::contains);
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
