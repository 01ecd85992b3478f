package dev.retort.card;

import dev.retort.config.Require;
import java.util.EnumSet;
import java.util.Set;

/**
 * Numbers that a network is told of each sample beside time and class. Each has an embedder of its own whose last layer starts at
 * zero, so that a network cut from one that is not told them computes the same at first.
 *
 * @param guidance whether it is told the scale of guidance that it computes by itself ({@link Part#GUIDANCE})
 * @param endTime the unit of the time at which a call is to land ({@link Part#END_TIME}): what the network is told at the noisiest time
 *     of its schedule; 0 where it is told one time only
 */
public record ScalarInputs(boolean guidance, double endTime) {
    /** None of them. */
    public static final ScalarInputs NONE = new ScalarInputs(false, 0);

    /** Validates. */
    public ScalarInputs {
        Require.atLeast("endTime", endTime, 0);
    }

    /** Whether a call is told where it is to land: the network is a flow map. */
    public boolean hasEndTime() {
        return endTime > 0;
    }

    /** As parts of a condition. */
    public Set<Part> parts() {
        Set<Part> parts = EnumSet.noneOf(Part.class);
        if (guidance) {
            parts.add(Part.GUIDANCE);
        }
        if (hasEndTime()) {
            parts.add(Part.END_TIME);
        }
        return parts;
    }

    /** Those of both. */
    public ScalarInputs and(ScalarInputs other) {
        return new ScalarInputs(guidance || other.guidance, Math.max(endTime, other.endTime));
    }
}
