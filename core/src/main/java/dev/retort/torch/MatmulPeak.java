package dev.retort.torch;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The machine's own matrix-product speed, the yardstick of model-FLOPs utilisation. */
public final class MatmulPeak {
    private static final long SIZE = 2048;
    /** A GPU is done with the other before it has been told of the next. */
    private static final long SIZE_ON_GPU = 8192;

    private static final double SECONDS = 0.4;

    private static final Map<Setting, Double> MEASURED = new ConcurrentHashMap<>();

    private record Setting(Precision precision, Device device, Kernels kernels, int threads) {}

    private MatmulPeak() {}

    /** What {@link #measure} says, asked once in this process for each choice of kernels and number of threads. */
    public static double of(Precision precision, Device device) {
        Setting setting = new Setting(precision, device, Kernels.current(), Natives.threads());
        return MEASURED.computeIfAbsent(setting, unknown -> measure(precision, device));
    }

    /**
     * Floating-point operations per second of a large square product with a weight, by the kernel that multiplies here: the
     * best of several. libtorch's own product would in places run on one thread where layers have all of them.
     */
    public static double measure(Precision precision, Device device) {
        long size = device.isCuda() ? SIZE_ON_GPU : SIZE;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Dtype dtype = precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
            // Equal values would cost a GPU less power, and so less time, than those of a network.
            Tensor wave = torch.arange(new Scalar(size * size), device.options(Dtype.F32))
                    .sin();
            Tensor a = dtype.cast(wave.view(size, size));
            multiply(a, device); // makes what the library needs for its first product
            double best = Double.MAX_VALUE;
            long end = System.nanoTime() + (long) (SECONDS * 1e9);
            do {
                best = Math.min(best, multiply(a, device));
            } while (System.nanoTime() < end);
            return 2.0 * size * size * size / best;
        }
    }

    private static double multiply(Tensor a, Device device) {
        try (Scope round = Scope.open()) {
            long start = System.nanoTime();
            Ops.linear(a, a, null);
            device.finish();
            return (System.nanoTime() - start) / 1e9;
        }
    }
}
