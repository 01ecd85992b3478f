package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A function with a gradient of its own. The presets map no custom autograd function, so one is made of sums of no rows,
 * which tie the value to its inputs at next to no cost, and of hooks: one meets the gradient of the value and hands it to
 * {@code backward}, the others replace the (zero) gradients that went through the ties by what that returned.
 *
 * <p>The open scope keeps the hooks and whatever {@code backward} refers to; it must stay open until the backward pass.
 */
final class Differentiable {
    private Differentiable() {}

    /** Whether a gradient is being recorded and wanted by one of these; null stands for none. */
    static boolean wanted(Tensor... tensors) {
        if (GradMode.is_enabled()) {
            for (Tensor tensor : tensors) {
                if (tensor != null && tensor.requires_grad()) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Ties a value that was computed without a graph to the inputs it was computed from.
     *
     * @param value (rows, cols), contiguous, seen by nobody yet
     * @param backward from the value's gradient, contiguous, to those of the inputs, in order; called once, without
     *     recording, also where no input wants a gradient: for what it adds to parameters
     * @param inputs of any shape; what {@code backward} returns for one that wants no gradient is not looked at
     * @return the value, with a graph
     */
    static Tensor tie(Tensor value, Function<Tensor, Tensor[]> backward, Tensor... inputs) {
        Tensor[][] gradients = new Tensor[1][];
        boolean flows = false;
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i].requires_grad()) {
                int index = i;
                flows = true;
                Hooks.replace(join(value, inputs[i]), zero -> gradients[0][index]);
            }
        }
        if (!flows) {
            join(value, torch.empty(0).set_requires_grad(true));
        }
        Hooks.replace(value, arrived -> {
            gradients[0] = backward.apply(new Tensor(arrived).contiguous());
            return arrived;
        });
        return value;
    }

    /**
     * An edge from the value to the source; returns the view of the source whose gradient is to be replaced. No row of the
     * source is added to no row of the value: that reads neither, and costs a fill with zeros in the backward pass.
     */
    private static Tensor join(Tensor value, Tensor source) {
        Tensor tied = source.view_as(source);
        Tensor nothing = tied.reshape(-1).narrow(0, 0, 0).view(0, value.size(1));
        value.index_add_(0, Tensors.empty(Dtype.I64, Device.CPU, 0), nothing);
        return tied;
    }

    /** Adds to a parameter's gradient what {@code add} writes: over the first one, onto a later one. */
    static void accumulate(Tensor parameter, Accumulation add) {
        Tensor gradient = parameter.mutable_grad();
        boolean first = !gradient.defined();
        if (first) {
            gradient.put(torch.empty_like(parameter.detach()));
        }
        add.into(gradient, first ? 0 : 1);
    }

    /** gradient ← new values + beta·gradient. */
    interface Accumulation {
        void into(Tensor gradient, double beta);
    }
}
