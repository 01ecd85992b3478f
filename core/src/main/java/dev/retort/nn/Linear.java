package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** y = x·Wᵀ + b, x (…, in) → (…, out). Tensors {@code weight} (out, in) and, unless built without, {@code bias} (out). */
public final class Linear extends Affine {
    private Linear(Init init, Tensor weight, Tensor bias) {
        super(init, weight, bias);
    }

    /** Xavier-uniform weight, zero bias. */
    public static Linear xavier(Init init, long in, long out) {
        Init own = init.ofProduct();
        return new Linear(own, own.xavierUniform("weight", out, in), own.zeros("bias", out));
    }

    /** Xavier-uniform weight, no bias. */
    public static Linear withoutBias(Init init, long in, long out) {
        Init own = init.ofProduct();
        return new Linear(own, own.xavierUniform("weight", out, in), null);
    }

    /** N(0, std²) weight, zero bias. */
    public static Linear normal(Init init, double std, long in, long out) {
        Init own = init.ofProduct();
        return new Linear(own, own.normal("weight", std, out, in), own.zeros("bias", out));
    }

    /** Zero weight and bias. */
    public static Linear zero(Init init, long in, long out) {
        Init own = init.ofProduct();
        return new Linear(own, own.zeros("weight", out, in), own.zeros("bias", out));
    }

    /** Zero weight, no bias. */
    public static Linear zeroWithoutBias(Init init, long in, long out) {
        Init own = init.ofProduct();
        return new Linear(own, own.zeros("weight", out, in), null);
    }

    @Override
    Tensor product(Tensor x) {
        return Ops.linear(x, weight(), bias().orElse(null));
    }

    @Override
    Tensor productGeluTanh(Tensor x) {
        return Ops.linearGeluTanh(x, weight(), bias().orElse(null));
    }

    @Override
    public boolean isProduct() {
        return true;
    }

    @Override
    Tensor rows(Tensor x) {
        return x;
    }

    @Override
    Tensor fromRows(Tensor rows, Tensor x) {
        return rows;
    }

    @Override
    Affine down(Init init, int rank) {
        long in = weight().size(1);
        return new Linear(init, init.uniform("weight", 1 / Math.sqrt(in), rank, in), null);
    }

    @Override
    Affine up(Init init, int rank) {
        return new Linear(init, init.zeros("weight", weight().size(0), rank), null);
    }
}
