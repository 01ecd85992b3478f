package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.Dtype;
import java.util.Optional;
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

    /**
     * How a layer's product is computed in whole numbers; empty where it is one of floats. Its weight is then given as it is where I8 is
     * asked for, and as floats else; its scales are asked for by their names.
     *
     * @param layer its path
     */
    default Optional<QuantizationSpec> quantization(String layer) {
        return Optional.empty();
    }

    /**
     * What computes a layer instead of a kernel made of its weights: that itself, or one around it that sees what goes through.
     *
     * @param layer its path
     */
    default Kernel around(String layer, Kernel kernel) {
        return kernel;
    }
}
