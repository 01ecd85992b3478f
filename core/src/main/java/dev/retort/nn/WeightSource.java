package dev.retort.nn;

import dev.retort.torch.Dtype;
import org.bytedeco.pytorch.Tensor;

/** A network's weights, asked for one by one and each once, so that they never all exist twice. */
@FunctionalInterface
public interface WeightSource {
    /**
     * The tensor of a parameter. It may be overwritten, and is good while the scope that is open is: one of two or more
     * dimensions only until the next such is asked for.
     *
     * @param dtype the type wanted, where that saves a copy; it may come in another
     */
    Tensor take(String name, Dtype dtype);
}
