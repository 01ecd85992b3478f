package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorTensorHook;

/**
 * Gradient hooks on tensors. The open scope keeps a hook alive: a hook collected early would fail inside backward. It also
 * owns the gradients that arrive. On the CPU they do so on the thread that asked for them; a GPU's backward pass runs on a
 * thread of libtorch's own, which has no scope, and they would stay until Java's garbage is collected.
 */
final class Hooks {
    private Hooks() {}

    /** Calls {@code replacement} with the gradient that reaches {@code tensor}; what it returns flows on instead. */
    static void replace(Tensor tensor, Function<TensorBase, TensorBase> replacement) {
        tensor.register_hook(new Hook(replacement));
    }

    private static final class Hook extends TensorTensorHook {
        private final transient Function<TensorBase, TensorBase> replacement;
        private final transient PointerScope home = PointerScope.getInnerScope();

        Hook(Function<TensorBase, TensorBase> replacement) {
            this.replacement = replacement;
        }

        @Override
        public TensorBase call(TensorBase gradient) {
            if (home != null && PointerScope.getInnerScope() == null) {
                home.attach(gradient);
            }
            return replacement.apply(gradient);
        }
    }
}
