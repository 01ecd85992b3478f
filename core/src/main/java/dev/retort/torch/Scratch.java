package dev.retort.torch;

import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * A scope where no gradient is recorded: what a network makes on its way is freed as soon as it is used, and what nobody
 * else sees may be overwritten. Where one is recorded it does nothing, since the graph refers to all of it until the
 * backward pass. Without this, intermediates are most of what sampling with a small network needs.
 */
public final class Scratch implements AutoCloseable {
    private final Scope scope;

    private Scratch(Scope scope) {
        this.scope = scope;
    }

    /** Opens one on this thread. */
    public static Scratch open() {
        return new Scratch(NoGrad.isOn() ? Scope.open() : null);
    }

    /** A value; what was made on the way to it is freed. */
    public static Tensor of(Supplier<Tensor> value) {
        try (Scratch scratch = open()) {
            return scratch.escape(value.get());
        }
    }

    /** Whether it frees what is made in it. */
    public boolean frees() {
        return scope != null;
    }

    /** Frees a tensor that was made in it before the others, since nobody reads it any longer. */
    public void free(Tensor tensor) {
        if (scope != null) {
            tensor.close();
        }
    }

    /** Hands a tensor to the scope around this one, as {@link Scope#escape} does. */
    public Tensor escape(Tensor tensor) {
        return scope == null ? tensor : scope.escape(tensor);
    }

    @Override
    public void close() {
        if (scope != null) {
            scope.close();
        }
    }
}
