package dev.retort.model.dit;

import dev.retort.torch.Ops;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The modulations of all steps of one request. What Java knows of a step, its times and labels, became rows of the table
 * when the request was opened: a step neither computes them nor asks the device for anything.
 */
final class ModulationTable implements AutoCloseable {
    private final List<Tensor> layers;
    private final Tensor rows;

    /**
     * @param layers for each layer (times·labels, parts, D), fp32; kept, closed with this
     * @param rows of each step and sample (S, N), 64-bit integers; kept, closed with this
     */
    ModulationTable(List<Tensor> layers, Tensor rows) {
        this.layers = layers;
        this.rows = rows;
    }

    /** The rows of the first {@code n} samples in a step (n). */
    Tensor rows(int step, long n) {
        return Ops.narrow(Ops.select(rows, 0, step), 0, 0, n);
    }

    /** Per layer (n, parts, D), fp32. */
    Tensor[] at(Tensor rows) {
        return layers.stream().map(layer -> Ops.indexSelect(layer, 0, rows)).toArray(Tensor[]::new);
    }

    @Override
    public void close() {
        layers.forEach(Tensor::close);
        rows.close();
    }
}
