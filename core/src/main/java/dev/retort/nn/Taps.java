package dev.retort.nn;

import dev.retort.card.TapPoint;
import dev.retort.torch.Ops;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Named intermediates that a forward pass hands out on request: block outputs ({@code blocks.3}), attention outputs
 * ({@code blocks.3.attn}), MLP outputs ({@code blocks.3.mlp}). A tap that does not fire is an error, not a zero.
 */
public final class Taps {
    private final Set<String> wanted;
    private final Map<String, Tensor> fired = new LinkedHashMap<>();

    private Taps(Set<String> wanted) {
        this.wanted = wanted;
    }

    /** No intermediates are wanted. */
    public static Taps none() {
        return new Taps(Set.of());
    }

    /** These intermediates are wanted. */
    public static Taps of(Iterable<String> names) {
        Set<String> wanted = new LinkedHashSet<>();
        names.forEach(wanted::add);
        return new Taps(wanted);
    }

    /** Whether {@code name} is wanted. */
    public boolean wants(String name) {
        return wanted.contains(name);
    }

    /** Whether nothing is wanted. */
    public boolean areNone() {
        return wanted.isEmpty();
    }

    /** Called by networks: stores the tensor if its name is wanted. */
    public void offer(String name, Tensor tensor) {
        if (wanted.contains(name)) {
            fired.put(name, tensor);
        }
    }

    /** The intermediate; an {@link IllegalStateException} if it was not wanted or did not fire. */
    public Tensor get(String name) {
        Tensor tensor = fired.get(name);
        if (tensor == null) {
            throw new IllegalStateException("tap " + name + " did not fire; fired: " + fired.keySet());
        }
        return tensor;
    }

    /** The values of an intermediate as tokens (N, rows·cols, channels), whichever form they have. */
    public static Tensor tokens(Tensor values, TapPoint point) {
        return point.form() == TapPoint.Form.TOKENS ? values : Ops.transpose(Ops.flatten(values, 2, -1), 1, 2);
    }

    /** The values of an intermediate as a map (N, channels, rows, cols), whichever form they have and however many channels. */
    public static Tensor map(Tensor values, TapPoint point) {
        return point.form() == TapPoint.Form.MAP
                ? values
                : Ops.reshape(Ops.transpose(values, 1, 2), values.size(0), values.size(2), point.rows(), point.cols());
    }
}
