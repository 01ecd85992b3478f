package dev.retort.nn;

import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * An adapter of low rank (Hu et al. 2021): adds (alpha / rank)·B·A·x to what a layer computes. B is zero at the start. A
 * convolution has a convolution of its own window as A and one of single pixels as B. Tensors {@code lora_A.weight},
 * {@code lora_B.weight}, the names of the PEFT library, under the layer's own.
 */
public final class LowRank {
    static final String DOWN = "lora_A";
    static final String UP = "lora_B";

    private final Affine target;
    private final Affine down;
    private final Affine up;
    private final double scale;

    /**
     * For a layer, which {@link Affine#attach} gives it to.
     *
     * @param init at the layer's name
     * @param rank rows of A
     * @param alpha strength, in units of the rank
     */
    public LowRank(Init init, Affine target, int rank, double alpha) {
        this.target = target;
        down = target.down(init.at(DOWN), rank);
        up = target.up(init.at(UP), rank);
        scale = alpha / rank;
    }

    /** Whether a parameter of this name, as {@link Layer#parameters} gives it, is an adapter's. */
    public static boolean owns(String name) {
        return ("." + name).contains("." + DOWN + ".") || ("." + name).contains("." + UP + ".");
    }

    /** Rows of A. */
    public int rank() {
        return Math.toIntExact(down.weight().size(0));
    }

    Affine down() {
        return down;
    }

    Affine up() {
        return up;
    }

    /** What is added for x, in the shape of the layer's value. */
    public Tensor forward(Tensor x) {
        return Ops.mul(up.forward(down.forward(x)), scale);
    }

    /** What is added to the weight, in its shape. */
    public Tensor delta() {
        Tensor b = Ops.flatten(up.weight(), 1, -1); // (out, rank)
        Tensor a = Ops.flatten(down.weight(), 1, -1); // (rank, in·window)
        return Ops.view(Ops.mul(Ops.matmul(b, a), scale), Tensors.shape(target.weight()));
    }
}
