package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorTensorHook;

/** Gradient hooks on tensors. The open scope keeps a hook alive: a hook collected early would fail inside backward. */
final class Hooks {
    private Hooks() {}

    /** Calls {@code replacement} with the gradient that reaches {@code tensor}; what it returns flows on instead. */
    static void replace(Tensor tensor, Function<TensorBase, TensorBase> replacement) {
        tensor.register_hook(new Hook(replacement));
    }

    private static final class Hook extends TensorTensorHook {
        private final transient Function<TensorBase, TensorBase> replacement;

        Hook(Function<TensorBase, TensorBase> replacement) {
            this.replacement = replacement;
        }

        @Override
        public TensorBase call(TensorBase gradient) {
            return replacement.apply(gradient);
        }
    }
}
