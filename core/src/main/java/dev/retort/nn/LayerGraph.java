package dev.retort.nn;

import dev.retort.graph.Graph;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Recorder;
import dev.retort.torch.Scope;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.Tensor;

/** Makes a {@link Graph} for any batch size of a layer's forward, by recording it for two samples and for three. */
public final class LayerGraph {
    private static final int FEW = 2;
    private static final int MORE = 3;

    private LayerGraph() {}

    /**
     * Records.
     *
     * @param inputs inputs for so many samples, under the names they are to have; the batch comes first in each
     * @param forward from these to the outputs; its arithmetic goes through {@link dev.retort.torch.Ops}
     * @throws IllegalArgumentException where the two forwards differ in more than sizes, as {@link Graph#over} says
     */
    public static Graph of(
            Layer layer, IntFunction<Map<String, Tensor>> inputs, Function<Map<String, Tensor>, Tensor[]> forward) {
        return of(layer.state(), layer.parameters().keySet(), inputs, forward);
    }

    /**
     * The same of a forward with tensors beside those of a layer.
     *
     * @param weights tensors under their names in checkpoints
     * @param trained names of those that are parameters
     */
    public static Graph of(
            Map<String, Tensor> weights,
            Set<String> trained,
            IntFunction<Map<String, Tensor>> inputs,
            Function<Map<String, Tensor>, Tensor[]> forward) {
        return Graph.over(
                FEW,
                recorded(weights, trained, inputs, forward, FEW),
                MORE,
                recorded(weights, trained, inputs, forward, MORE));
    }

    private static Graph recorded(
            Map<String, Tensor> weights,
            Set<String> trained,
            IntFunction<Map<String, Tensor>> inputs,
            Function<Map<String, Tensor>, Tensor[]> forward,
            int samples) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> given = inputs.apply(samples);
            try (Recorder recorder =
                    Recorder.on(weights, trained, given)) {
                return recorder.graph(forward.apply(given));
            }
        }
    }
}
