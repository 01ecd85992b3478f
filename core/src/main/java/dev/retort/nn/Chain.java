package dev.retort.nn;

import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Layers one after another. What a layer made inside, and its input, are freed before the next one begins, so that without
 * gradients the peak of memory is that of the largest layer, not the sum of all.
 */
public final class Chain {
    private final List<UnaryOperator<Tensor>> layers = new ArrayList<>();
    private final Map<Integer, String> taps = new HashMap<>();

    /** Adds a layer, which returns a new tensor. */
    public Chain add(UnaryOperator<Tensor> layer) {
        layers.add(layer);
        return this;
    }

    /** The output of the last layer so far is to be offered under a name. */
    public Chain tap(String name) {
        taps.put(layers.size() - 1, name);
        return this;
    }

    /** How many layers there are. */
    public int size() {
        return layers.size();
    }

    /** Runs them all; the result and the taps belong to the caller's scope. */
    public Tensor forward(Tensor x, Taps wanted) {
        Tensor current = x;
        for (int i = 0; i < layers.size(); i++) {
            Tensor next;
            try (Scope scope = Scope.open()) {
                next = scope.keep(layers.get(i).apply(current));
            }
            if (current != x) {
                current.close();
            }
            current = next;
            if (taps.containsKey(i) && wanted.wants(taps.get(i))) {
                wanted.offer(taps.get(i), Ops.alias(current));
            }
        }
        Tensor result = Ops.alias(current);
        if (current != x) {
            current.close();
        }
        return result;
    }
}
