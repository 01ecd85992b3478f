package dev.retort.model;

import dev.retort.card.ImageShape;
import dev.retort.nn.Layer;
import java.util.Set;

/** A network with all that has to be known to ask it: how its output is read, with which guidance, in which precision. */
public interface Respondent {
    /** Its weights. */
    Layer network();

    /** Shape of the images it is asked about. */
    ImageShape images();

    /**
     * Asks.
     *
     * @param taps intermediates that the answer is to hand out
     */
    Answer ask(Question question, Set<String> taps);

    /**
     * How many calls for an image a question costs of networks that stay as they are.
     *
     * @param question what it is asked
     * @param learns whether this one's weights are trained
     */
    default int frozenCalls(Question question, boolean learns) {
        return learns ? 0 : 1;
    }

    /** Whether a weight leads to every answer, so that a loss which does not reach it is a mistake. */
    default boolean uses(String weight) {
        return true;
    }

    /** Recompute block insides during the backward pass instead of storing them, where the network can. */
    void recompute(boolean on);
}
