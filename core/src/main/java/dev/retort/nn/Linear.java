package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** y = x·Wᵀ + b. Tensors {@code weight} (out, in) and {@code bias} (out). */
public final class Linear extends Layer {
    private final Tensor weight;
    private final Tensor bias;

    /** From initial values. */
    public Linear(Tensor weight, Tensor bias) {
        this.weight = parameter("weight", weight);
        this.bias = parameter("bias", bias);
    }

    /** Xavier-uniform weight, zero bias. */
    public static Linear xavier(Init init, long in, long out) {
        return new Linear(init.xavierUniform("weight", out, in), init.zeros(out));
    }

    /** N(0, std²) weight, zero bias. */
    public static Linear normal(Init init, double std, long in, long out) {
        return new Linear(init.normal("weight", std, out, in), init.zeros(out));
    }

    /** Zero weight and bias. */
    public static Linear zero(Init init, long in, long out) {
        return new Linear(init.zeros(out, in), init.zeros(out));
    }

    /** x (…, in) → (…, out). */
    public Tensor forward(Tensor x) {
        return Ops.linear(x, weight, bias);
    }

    /** GELU (tanh approximation) of {@link #forward}. */
    public Tensor forwardGeluTanh(Tensor x) {
        return Ops.linearGeluTanh(x, weight, bias);
    }

    /** (out, in). */
    public Tensor weight() {
        return weight;
    }

    /** (out). */
    public Tensor bias() {
        return bias;
    }
}
