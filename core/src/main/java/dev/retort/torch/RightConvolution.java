package dev.retort.torch;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Whether a convolution kernel computes what it should. On a CPU with AVX-512 (Zen 5) oneDNN's, plane by plane, reads
 * beyond its input where the channels fill the last vector in part: with 24 of them the result is off by 0.2 or not a
 * number, without a word. So each kernel is compared with columns of patches once in a process that chooses.
 */
final class RightConvolution {
    /** Input and output channels that leave a part of a vector of 8 or of 16. */
    private static final int[][] CHANNELS = {{24, 24}, {24, 48}, {20, 20}, {40, 72}};

    private static final int IMAGES = 16;
    private static final int SIDE = 8;
    private static final double TOLERANCE = 1e-3;

    private static final Map<Kernels.Convolution, Boolean> KNOWN = new EnumMap<>(Kernels.Convolution.class);

    private RightConvolution() {}

    static synchronized boolean is(Kernels.Convolution kernel) {
        return kernel == Kernels.Convolution.BLAS || KNOWN.computeIfAbsent(kernel, RightConvolution::tried);
    }

    private static boolean tried(Kernels.Convolution kernel) {
        try (PlainMath plain = PlainMath.open()) {
            for (int[] channels : CHANNELS) {
                Tensor[] right = forwardAndGradients(Kernels.Convolution.BLAS, channels[0], channels[1]);
                Tensor[] found = forwardAndGradients(kernel, channels[0], channels[1]);
                for (int i = 0; i < right.length; i++) {
                    double error =
                            found[i].detach().sub(right[i].detach()).norm().item_double();
                    // written so that what is not a number is wrong
                    if (!(error < TOLERANCE * right[i].detach().norm().item_double())) {
                        return false;
                    }
                }
            }
            return true;
        }
    }

    /** The convolution, and its gradients to input and weight. */
    private static Tensor[] forwardAndGradients(Kernels.Convolution kernel, int in, int out) {
        soil();
        Tensor x = values(IMAGES, in, SIDE, SIDE).set_requires_grad(true);
        Tensor w = values(out, in, 3, 3).set_requires_grad(true);
        Tensor y = Dispatch.conv2d(kernel, x, w, null, 1, 1);
        y.mul(y).sum().backward();
        return new Tensor[] {y, x.grad(), w.grad()};
    }

    /** Leaves no zeros behind in freed memory: what is read there by mistake then shows. */
    private static void soil() {
        try (Scope scope = Scope.open()) {
            for (int size = 1 << 12; size <= 1 << 20; size <<= 2) {
                Tensors.full(Float.NaN, Device.CPU, size);
            }
        }
    }

    /** Between -1 and 1, no two neighbours alike. */
    private static Tensor values(long... shape) {
        long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        return torch.linspace(new Scalar(0), new Scalar(count * 0.7), count)
                .sin()
                .view(shape);
    }
}
