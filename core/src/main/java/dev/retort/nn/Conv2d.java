package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * 2-D convolution, x (N, in, H, W) → (N, out, H', W'). Tensors {@code weight} (out, in, k, k) and, unless built without,
 * {@code bias} (out).
 */
public final class Conv2d extends Affine {
    private final int kernel;
    private final int stride;
    private final int padding;

    private Conv2d(Init init, Tensor weight, Tensor bias, int stride, int padding) {
        super(init, weight, bias);
        kernel = (int) weight.size(-1);
        this.stride = stride;
        this.padding = padding;
    }

    private static boolean isPatches(long kernel, int stride, int padding) {
        return stride == kernel && padding == 0;
    }

    /** Xavier-uniform weight over (out, in·k·k), zero bias. */
    public static Conv2d xavier(Init init, int in, int out, int kernel, int stride, int padding) {
        Init own = own(init, kernel, stride, padding);
        return new Conv2d(
                own, own.xavierUniform("weight", out, in, kernel, kernel), own.zeros("bias", out), stride, padding);
    }

    /** Zero weight and bias. */
    public static Conv2d zero(Init init, int in, int out, int kernel, int stride, int padding) {
        Init own = own(init, kernel, stride, padding);
        return new Conv2d(own, own.zeros("weight", out, in, kernel, kernel), own.zeros("bias", out), stride, padding);
    }

    /** Kaiming-uniform weight, no bias: for use before a batch norm. */
    public static Conv2d withoutBias(Init init, int in, int out, int kernel, int stride, int padding) {
        Init own = own(init, kernel, stride, padding);
        return new Conv2d(own, own.kaimingUniform("weight", out, in, kernel, kernel), null, stride, padding);
    }

    private static Init own(Init init, int kernel, int stride, int padding) {
        return isPatches(kernel, stride, padding) ? init.ofProduct() : init;
    }

    @Override
    Tensor product(Tensor x) {
        return Ops.conv2d(x, weight(), bias().orElse(null), stride, padding);
    }

    @Override
    Tensor productGeluTanh(Tensor x) {
        return Ops.geluTanh(product(x));
    }

    @Override
    public boolean isProduct() {
        return isPatches(kernel, stride, padding);
    }

    /** (N, in, H, W) → (N, H', W', in·k·k). */
    @Override
    Tensor rows(Tensor x) {
        long n = x.size(0);
        long c = x.size(1);
        long high = x.size(2) / kernel;
        long wide = x.size(3) / kernel;
        Tensor patches = Ops.permute(Ops.view(x, n, c, high, kernel, wide, kernel), 0, 2, 4, 1, 3, 5);
        return Ops.reshape(patches, n, high, wide, c * kernel * kernel);
    }

    /** (N, H', W', out) → (N, out, H', W'), a view. */
    @Override
    Tensor fromRows(Tensor rows, Tensor x) {
        return Ops.permute(rows, 0, 3, 1, 2);
    }

    @Override
    Affine down(Init init, int rank) {
        long in = weight().size(1);
        double bound = 1 / Math.sqrt(in * kernel * (double) kernel);
        Tensor weight = init.uniform("weight", bound, rank, in, kernel, kernel);
        return new Conv2d(init, weight, null, stride, padding);
    }

    @Override
    Affine up(Init init, int rank) {
        return new Conv2d(init, init.zeros("weight", weight().size(0), rank, 1, 1), null, 1, 0);
    }
}
