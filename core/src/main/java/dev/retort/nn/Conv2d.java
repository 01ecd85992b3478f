package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** 2-D convolution. Tensors {@code weight} (out, in, k, k) and, unless built without, {@code bias} (out). */
public final class Conv2d extends Layer {
    private final Tensor weight;
    private final Tensor bias;
    private final int stride;
    private final int padding;

    private Conv2d(Tensor weight, Tensor bias, int stride, int padding) {
        this.weight = parameter("weight", weight);
        this.bias = bias == null ? null : parameter("bias", bias);
        this.stride = stride;
        this.padding = padding;
    }

    /** Xavier-uniform weight over (out, in·k·k), zero bias. */
    public static Conv2d xavier(Init init, int in, int out, int kernel, int stride, int padding) {
        return new Conv2d(init.xavierUniform("weight", out, in, kernel, kernel), init.zeros(out), stride, padding);
    }

    /** Kaiming-uniform weight, no bias: for use before a batch norm. */
    public static Conv2d withoutBias(Init init, int in, int out, int kernel, int stride, int padding) {
        return new Conv2d(init.kaimingUniform("weight", out, in, kernel, kernel), null, stride, padding);
    }

    /** x (N, in, H, W) → (N, out, H', W'). */
    public Tensor forward(Tensor x) {
        return Ops.conv2d(x, weight, bias, stride, padding);
    }
}
