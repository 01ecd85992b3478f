package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** A table of learned rows. Tensor {@code embedding_table.weight} (rows, width). */
public final class Embedding extends Layer {
    private final Tensor table;

    /** N(0, 0.02²). */
    public Embedding(Init init, long rows, long width) {
        table = parameter("embedding_table.weight", init.normal("embedding_table.weight", 0.02, rows, width));
    }

    /** index (N) → (N, width). */
    public Tensor forward(Tensor index) {
        return Ops.embedding(table, index);
    }
}
