package dev.retort.torch;

import org.bytedeco.pytorch.Tensor;

/** The machine's own matrix-product speed, the yardstick of model-FLOPs utilisation. */
public final class MatmulPeak {
    private static final long SIZE = 2048;
    private static final double SECONDS = 0.4;

    private MatmulPeak() {}

    /**
     * Floating-point operations per second of a large square product with a weight, by the kernel that multiplies here: the
     * best of several. libtorch's own product would in places run on one thread where layers have all of them.
     */
    public static double measure(Precision precision, Device device) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Dtype dtype = precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
            Tensor a = dtype.cast(Tensors.full(0.5, device, SIZE, SIZE));
            double best = Double.MAX_VALUE;
            long end = System.nanoTime() + (long) (SECONDS * 1e9);
            do {
                try (Scope round = Scope.open()) {
                    long start = System.nanoTime();
                    Ops.linear(a, a, null);
                    device.finish();
                    best = Math.min(best, (System.nanoTime() - start) / 1e9);
                }
            } while (System.nanoTime() < end);
            return 2.0 * SIZE * SIZE * SIZE / best;
        }
    }
}
