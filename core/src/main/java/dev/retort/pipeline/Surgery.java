package dev.retort.pipeline;

import dev.retort.card.NetworkSpec;
import dev.retort.error.RetortException;
import dev.retort.model.Network;

/** Weights of one network made into those of another one of the same architecture. */
public interface Surgery {
    /** Refuses, as an IllegalArgumentException, a student that is no part of the teacher. */
    void requireCut(NetworkSpec teacher, NetworkSpec student);

    /** Whether a cut gives the student the layers that lead to its output as well, or leaves them as initialised. */
    boolean cutReachesOutput(NetworkSpec teacher, NetworkSpec student);

    /** Replaces the student's weights by a part of the teacher's; a student that is no part is refused likewise. */
    void cut(Network teacher, Network student);

    /**
     * Copies all weights into a network of the same shape, or of another height and width.
     *
     * @throws RetortException of kind CHECKPOINT, naming what does not fit; nothing is copied then
     */
    void regrid(Network from, Network to);
}
