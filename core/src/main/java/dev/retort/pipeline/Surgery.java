package dev.retort.pipeline;

import dev.retort.card.NetworkSpec;
import dev.retort.card.UNetLayout;
import dev.retort.diffusion.Heads;
import dev.retort.error.RetortException;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Network;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Weights of one network made into those of another one of the same architecture. */
public interface Surgery {
    /** Refuses, as an IllegalArgumentException, a student that is no part of the teacher. */
    void requireCut(NetworkSpec teacher, NetworkSpec student);

    /** Whether a cut gives the student the layers that lead to its output as well, or leaves them as initialised. */
    boolean cutReachesOutput(NetworkSpec teacher, NetworkSpec student);

    /** Replaces the student's weights by a part of the teacher's; a student that is no part is refused likewise. */
    void cut(Network teacher, Network student);

    /**
     * Replaces the student's weights by named blocks of the teacher's.
     *
     * @param student of the shape that the layout makes of the teacher, or narrower
     * @throws UnsupportedOperationException where its networks have no such blocks
     */
    default void cut(Network teacher, Network student, UNetLayout layout) {
        throw new UnsupportedOperationException(teacher.spec().name() + " has no U-Net");
    }

    /**
     * Weights of a network with fewer heads, each of them a sum of several.
     *
     * @param network of many heads
     * @param weights of it, by name
     * @param heads of what each head of the other is the sum
     * @return those of {@code network.withOutputs(heads.size())}, in the caller's scope
     */
    Map<String, Tensor> fused(NetworkSpec network, Map<String, Tensor> weights, List<Heads> heads);

    /**
     * A network that is asked at a few moments and labels alone, with what it computes of these only as a table.
     *
     * @param network what it is
     * @param weights its weights and the table, by name
     */
    record Folded(NetworkSpec network, Map<String, Tensor> weights) {}

    /** Whether its networks can be {@link #folded}. */
    default boolean folds() {
        return false;
    }

    /**
     * Folds a network; one that {@link #folds} not is refused as an UnsupportedOperationException.
     *
     * @param packed the network as it is sampled, in fp32
     * @param weights of it, by name
     * @param moments at which it is ever asked, all with the same numbers told
     * @param labels that it is ever told; the number of classes stands for "no class"
     * @return its weights in the caller's scope
     */
    default Folded folded(Denoiser packed, Map<String, Tensor> weights, List<Moment> moments, List<Integer> labels) {
        throw new UnsupportedOperationException(packed.spec().name() + " cannot be folded");
    }

    /**
     * Copies all weights into a network of the same shape, or of another height and width.
     *
     * @throws RetortException of kind CHECKPOINT, naming what does not fit; nothing is copied then
     */
    void regrid(Network from, Network to);
}
