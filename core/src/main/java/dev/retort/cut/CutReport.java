package dev.retort.cut;

import dev.retort.card.NetworkSpec;
import dev.retort.card.UNetLayout;
import java.util.Map;
import java.util.Set;

/**
 * What a cut leaves of a model.
 *
 * @param teacher the network
 * @param student what is left of it
 * @param layout the blocks that are kept
 * @param layers how far leaving out each layer alone takes the output away, relative to it; empty where it was not asked
 * @param leftOut those of the layers that are left out
 * @param milliseconds of a step of four pictures, by {@link #TEACHER} and {@link #STUDENT}; empty where nothing was written
 */
public record CutReport(
        NetworkSpec teacher,
        NetworkSpec student,
        UNetLayout layout,
        Map<String, Double> layers,
        Set<String> leftOut,
        Map<String, Double> milliseconds) {
    /** The network that is cut, by the name of its time. */
    public static final String TEACHER = "before";

    /** The one that is left. */
    public static final String STUDENT = "after";
}
