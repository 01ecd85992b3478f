package dev.retort.nn;

import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * A kernel whose inputs are shown to somebody; it computes what the other does.
 *
 * @param kernel what computes
 * @param inputs is given the rows (…, in) that are multiplied, on the thread that multiplies them; they live during the call only
 */
public record Watched(Kernel kernel, Consumer<Tensor> inputs) implements Kernel {
    @Override
    public Tensor apply(Affine layer, Tensor x) {
        inputs.accept(layer.rows(x));
        return kernel.apply(layer, x);
    }

    @Override
    public Tensor geluTanh(Affine layer, Tensor x) {
        inputs.accept(layer.rows(x));
        return kernel.geluTanh(layer, x);
    }

    @Override
    public void close() {
        kernel.close();
    }
}
