package dev.retort.torch;

import java.util.Arrays;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Activation checkpointing: a block's insides are not stored for the backward pass but computed again when it needs them.
 * Gradients are those of the plain block. The block must be a pure function of its inputs and of parameters.
 *
 * <p>libtorch's presets map no custom autograd function, so one is made from tensor hooks. The value is computed without
 * a graph; a term that is always zero ties every output to every input; hooks on the outputs store the gradients that
 * arrive; hooks on the tied inputs run the block again with a graph, send the stored gradients through it (parameter
 * gradients accumulate on the way) and replace the zero gradient by the true one.
 */
public final class Checkpointing {
    private Checkpointing() {}

    /**
     * Runs {@code block} on {@code inputs} without storing its insides.
     *
     * @param device whose autocast state the second run must repeat
     * @return the block's outputs, with exact gradients to inputs and parameters
     */
    public static Tensor[] run(Device device, Function<Tensor[], Tensor[]> block, Tensor... inputs) {
        if (!GradMode.is_enabled() || Recorder.isOn()) {
            return block.apply(inputs);
        }
        Recompute recompute = new Recompute(device, block, inputs);
        Tensor[] values;
        Scope scope = Scope.open();
        try (NoGrad off = NoGrad.on()) {
            values = block.apply(inputs);
            for (Tensor value : values) {
                scope.escape(value);
            }
        } finally {
            scope.close();
        }
        Tensor tie = recompute.tie();
        Tensor[] outputs = new Tensor[values.length];
        for (int i = 0; i < values.length; i++) {
            outputs[i] = values[i].add(tie);
            recompute.listen(i, outputs[i]);
        }
        return outputs;
    }

    /** One checkpointed call: what the second run needs and the gradients that have arrived. */
    private static final class Recompute {
        private final Function<Tensor[], Tensor[]> block;
        private final Tensor[] inputs;
        private final Device device;
        private final Precision precision;
        /** Open here and in the backward pass, whose hooks may run on a thread without a scope ({@link Hooks}). */
        private final PointerScope home = PointerScope.getInnerScope();

        private Tensor[] arrived = new Tensor[0];
        private Tensor[] inputGradients;

        Recompute(Device device, Function<Tensor[], Tensor[]> block, Tensor[] inputs) {
            this.device = device;
            this.block = block;
            this.inputs = inputs;
            this.precision = Autocast.isOn(device) ? Precision.BF16 : Precision.FP32;
        }

        /** Zero, with a graph edge to every input that wants a gradient; exact also where an input is not finite. */
        Tensor tie() {
            Tensor never = Tensors.zeros(Device.CPU).to(torch.ScalarType.Bool);
            Tensor sum = null;
            for (int i = 0; i < inputs.length; i++) {
                if (!inputs[i].requires_grad()) {
                    continue;
                }
                Tensor tied = inputs[i].view_as(inputs[i]);
                int index = i;
                Hooks.replace(tied, gradient -> inputGradient(index));
                Tensor zero = torch.where(device.move(never), tied.reshape(-1).narrow(0, 0, 1), new Scalar(0.0));
                sum = sum == null ? zero : sum.add(zero);
            }
            if (sum == null) {
                // Only parameters want gradients: an edge to a constant that claims to want one carries the second run.
                Tensor anchor = device.move(Tensors.zeros(Device.CPU, 1)).set_requires_grad(true);
                Tensor tied = anchor.view_as(anchor);
                Hooks.replace(tied, gradient -> {
                    runAgain();
                    return gradient;
                });
                return tied;
            }
            return sum;
        }

        void listen(int index, Tensor output) {
            if (arrived.length <= index) {
                arrived = Arrays.copyOf(arrived, index + 1);
            }
            Hooks.replace(output, gradient -> {
                arrived[index] = atHome(new Tensor(gradient));
                return gradient;
            });
        }

        private TensorBase inputGradient(int index) {
            if (inputGradients == null) {
                runAgain();
            }
            return inputGradients[index];
        }

        private Tensor atHome(Tensor tensor) {
            if (home == null) {
                tensor.retainReference();
            } else {
                home.attach(tensor);
            }
            return tensor;
        }

        private void runAgain() {
            boolean before = GradMode.is_enabled();
            inputGradients = new Tensor[inputs.length];
            try (Scope scope = Scope.open();
                    Autocast autocast = Autocast.to(precision, device)) {
                GradMode.set_enabled(true);
                Tensor[] fresh = new Tensor[inputs.length];
                for (int i = 0; i < inputs.length; i++) {
                    fresh[i] = inputs[i].detach().set_requires_grad(inputs[i].requires_grad());
                }
                Tensor[] outputs = block.apply(fresh);
                TensorVector roots = new TensorVector();
                TensorVector gradients = new TensorVector();
                for (int i = 0; i < outputs.length; i++) {
                    if (arrived[i] != null && outputs[i].requires_grad()) {
                        roots.push_back(outputs[i]);
                        gradients.push_back(arrived[i]);
                    }
                }
                GradMode.set_enabled(false);
                torch.backward(roots, gradients, new org.bytedeco.pytorch.BoolOptional(), false, new TensorVector());
                for (int i = 0; i < inputs.length; i++) {
                    if (inputs[i].requires_grad()) {
                        inputGradients[i] = atHome(new Tensor(fresh[i].grad()));
                    }
                }
            } finally {
                GradMode.set_enabled(before);
                Arrays.fill(arrived, null);
            }
        }
    }
}
