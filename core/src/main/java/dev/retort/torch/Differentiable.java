package dev.retort.torch;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.global.torch;

/**
 * A function with a gradient of its own. The presets map no custom autograd function, so one is made of a product with
 * an empty matrix, which ties the value to its input at no cost, and of hooks: the first meets the gradient of the value
 * and hands it to {@code backward}, the second replaces the (zero) gradient that went through the tie by what that returned.
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
     * Ties a value that was computed without a graph to the input it was computed from.
     *
     * @param value (rows, cols), contiguous, seen by nobody yet
     * @param input any shape; where it wants no gradient {@code backward} is still called, for what it adds to parameters
     * @param backward from the value's gradient, contiguous, to that of the input; called once, without recording. Its
     *     result is not looked at where the input wants none
     * @return the value, with a graph
     */
    static Tensor tie(Tensor value, Tensor input, UnaryOperator<Tensor> backward) {
        boolean flows = input.requires_grad();
        Tensor source = flows ? input : torch.empty(new long[] {0}).set_requires_grad(true);
        Tensor tied = source.view_as(source);
        TensorBase[] gradient = new TensorBase[1];
        if (flows) {
            Hooks.replace(tied, zero -> gradient[0]);
        }
        Tensor nothing = tied.reshape(-1).narrow(0, 0, 0).view(value.size(0), 0);
        value.addmm_(nothing, torch.empty(0, value.size(1)));
        Hooks.replace(value, arrived -> {
            gradient[0] = backward.apply(new Tensor(arrived).contiguous());
            return arrived;
        });
        return value;
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
