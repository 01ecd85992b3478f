package dev.retort.nn;

import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * W·x + b: the layers that hold most of a network's weights and take most of its time. Which {@link Kernel} computes it can
 * be chosen, and a {@link LowRank} adapter may add to it. Tensors {@code weight} and {@code bias}, unless the layer was made
 * of given weights for a kernel that keeps them in its own form: then it has no parameters.
 */
public abstract sealed class Affine extends Layer permits Linear, Conv2d {
    private final Tensor weight;
    private final Tensor bias;
    private Kernel kernel;
    private LowRank adapter;

    /**
     * From initial values.
     *
     * @param init where they came from: {@link Init#ofProduct} for a product
     * @param bias or null
     */
    Affine(Init init, Tensor weight, Tensor bias) {
        kernel = init.kernel(weight, bias);
        boolean keeps = kernel == Kernel.PLAIN;
        this.weight = keeps ? parameter("weight", weight) : null;
        this.bias = keeps && bias != null ? parameter("bias", bias) : null;
    }

    /** The layer's value, the adapter's share included. */
    public final Tensor forward(Tensor x) {
        Tensor y = kernel.apply(this, x);
        return adapter == null ? y : Ops.add(y, adapter.forward(x));
    }

    /** GELU (tanh approximation) of {@link #forward}. */
    public final Tensor forwardGeluTanh(Tensor x) {
        return adapter == null ? kernel.geluTanh(this, x) : Ops.geluTanh(forward(x));
    }

    /** W, first dimension out; an {@link IllegalStateException} where only the kernel has it. */
    public final Tensor weight() {
        if (weight == null) {
            throw new IllegalStateException("the layer was made for sampling: its kernel alone holds the weight");
        }
        return weight;
    }

    /** b (out), if the layer has one of its own. */
    public final Optional<Tensor> bias() {
        return Optional.ofNullable(bias);
    }

    /** Computes by this kernel from now on; the layer closes it. */
    public final void use(Kernel other) {
        weight(); // another kernel would find none
        kernel.close();
        kernel = other;
    }

    /** Adds an adapter, made for this layer; its parameters become the layer's. */
    public final void attach(LowRank added) {
        if (adapter != null) {
            throw new IllegalStateException("the layer has an adapter; merge it first");
        }
        adapter = added;
        child(LowRank.DOWN, added.down());
        child(LowRank.UP, added.up());
    }

    /** Computes by rounding, as it will once it is quantised, from now on; the scales of that become the layer's. */
    public final void quantize(FakeQuant by) {
        use(by);
        child(FakeQuant.NAME, by);
    }

    /** Drops the rounding of {@link #quantize}, if there is one, as if it had never been. */
    public final void unquantize() {
        if (kernel instanceof FakeQuant) {
            use(Kernel.PLAIN);
            drop(FakeQuant.NAME);
        }
    }

    /** The adapter, if there is one. */
    public final Optional<LowRank> adapter() {
        return Optional.ofNullable(adapter);
    }

    /** Adds the adapter's share to the weight and drops the adapter; the kernel is {@link Kernel#PLAIN} then. */
    public final void merge() {
        if (adapter == null) {
            return;
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Ops.addInPlace(weight(), adapter.delta());
        }
        use(Kernel.PLAIN);
        detach();
    }

    /** Drops the adapter, if there is one, as if it had never been. */
    public final void detach() {
        if (adapter != null) {
            drop(LowRank.DOWN);
            drop(LowRank.UP);
            adapter = null;
        }
    }

    /** What the weight is once the adapter is merged; the weight itself where there is none. */
    final Tensor mergedWeight() {
        return adapter == null ? weight() : Ops.add(weight(), adapter.delta());
    }

    /** What {@link Kernel#PLAIN} computes. */
    abstract Tensor product(Tensor x);

    /** GELU (tanh approximation) of {@link #product}. */
    abstract Tensor productGeluTanh(Tensor x);

    /** Whether the layer multiplies rows that {@link #rows} finds in x without copying any value twice. */
    public abstract boolean isProduct();

    /** x as rows, each as long as a row of W (…, in). */
    abstract Tensor rows(Tensor x);

    /** Rows of the product (…, out) in the shape that {@link #forward} gives for x. */
    abstract Tensor fromRows(Tensor rows, Tensor x);

    /** A layer of the same kind, input and place, to so many channels, without bias: what an adapter begins with. */
    abstract Affine down(Init init, int rank);

    /** A layer from so many channels to this one's, each by itself, of zeros: what an adapter ends with. */
    abstract Affine up(Init init, int rank);

    @Override
    public final void close() {
        kernel.close();
        super.close();
    }
}
