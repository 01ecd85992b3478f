package dev.retort.train;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.node.ObjectNode;

/** Something that a resumed run must find as it was: part of a checkpoint. */
public interface Stateful {
    /** Its name in checkpoints, unlike that of any other in the run. */
    String name();

    /** Its tensors by name, in the order in which they are written; a checkpoint is restored by copying into them. */
    Map<String, Tensor> tensors();

    /** What else it remembers; written into the checkpoint's {@code state.json}. */
    ObjectNode numbers();

    /** Continues from what {@link #numbers} gave; the tensors are there already. */
    void restore(ObjectNode numbers);

    /** Today's names of tensors that older checkpoints know by another name, with that name. */
    default Map<String, String> formerNames() {
        return Map.of();
    }
}
