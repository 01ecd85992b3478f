package dev.retort.torch;

import java.util.Random;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.Float32Backend;
import org.bytedeco.pytorch.global.torch.Float32Op;
import org.bytedeco.pytorch.global.torch.Float32Precision;

/** Settings of the native libraries: those that suit every machine, once, right after they load, and the switches of {@link Kernels}. */
final class NativeTuning {
    /** An fp32 product is exact to about 5e-7 here; bf16 arithmetic would be 2e-3 off. */
    private static final double EXACT = 1e-5;

    private static final int MALLOPT_TRIM_THRESHOLD = -1;
    private static final int MALLOPT_TOP_PAD = -2;
    private static final int MALLOPT_MMAP_THRESHOLD = -3;

    private static boolean handed;

    private NativeTuning() {}

    /**
     * Applies what suits every machine. The stock libtorch calls a BLAS whose own thread pool fights libgomp's. Where the CPU
     * has AVX-512, fp32 products are handed to oneDNN instead, twice as fast, by allowing it bf16 arithmetic: without AMX it
     * still computes exact fp32; with AMX it would round, so that is tried.
     */
    static void apply() {
        blasThreads(1);
        keepFreedMemory();
        // It knows few CPUs, says so on stderr at every convolution it is asked for, and wins none that oneDNN takes.
        torch.globalContext().setUserEnabledNNPACK(false);
        // cuDNN would round what it convolves to 10 bits (TF32); products on a GPU are not rounded either.
        torch.globalContext().setFloat32Precision(Float32Backend.CUDA, Float32Op.CONV, Float32Precision.IEEE);
        float32ByOneDnn(true);
        handed = torch.hasMKLDNN() && PackedProduct.multipliesHalf() && relativeError() < EXACT;
        float32ByOneDnn(handed);
    }

    /** Whether libtorch hands fp32 products to oneDNN on this CPU. */
    static boolean handsFloatsToOneDnn() {
        return handed;
    }

    /** Threads of the BLAS itself. */
    static void blasThreads(int count) {
        if (Mkl.isLoaded()) {
            Mkl.threads(count);
            return;
        }
        try {
            org.bytedeco.openblas.presets.openblas_nolapack.blas_set_num_threads(count);
        } catch (LinkageError e) {
            // another BLAS, which counts its threads itself
        }
    }

    /** Which BLAS computes. */
    static String blas() {
        if (Mkl.isLoaded()) {
            return "MKL";
        }
        return switch (org.bytedeco.openblas.presets.openblas_nolapack.blas_get_vendor()) {
            case 2 -> "OpenBLAS";
            case 3 -> "MKL";
            default -> "another BLAS";
        };
    }

    private static void float32ByOneDnn(boolean on) {
        torch.globalContext()
                .setFloat32Precision(
                        Float32Backend.MKLDNN, Float32Op.MATMUL, on ? Float32Precision.BF16 : Float32Precision.IEEE);
    }

    /**
     * glibc hands every large freed block back to the system, and each result then pays its page faults again: up to half
     * of a large product's time. These limits keep the blocks in the process. Other C libraries lack the call.
     */
    private static void keepFreedMemory() {
        Loader.load(openblas_nolapack.class);
        callGlibc("mallopt", MALLOPT_MMAP_THRESHOLD, 1 << 30);
        callGlibc("mallopt", MALLOPT_TRIM_THRESHOLD, 1 << 30);
        callGlibc("mallopt", MALLOPT_TOP_PAD, 64 << 20);
    }

    /** Hands kept blocks back once ({@code malloc_trim(0)}), so that resident memory is memory in use. */
    static void trim() {
        callGlibc("malloc_trim", 0, 0);
    }

    private static void callGlibc(String name, int first, int second) {
        Pointer address = Loader.addressof(name);
        if (address != null && !address.isNull()) {
            Glibc function = new Glibc();
            function.put(address);
            function.call(first, second);
        }
    }

    /** {@code int f(int, int)}, called through a mapped function type of the same signature. */
    private static final class Glibc extends org.bytedeco.openblas.presets.openblas_nolapack.MklDomainSetNumThreads {}

    private static double relativeError() {
        int n = 256;
        float[] values = new float[2 * n * n];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        try (var scope = new org.bytedeco.javacpp.PointerScope()) {
            Tensor both = torch.tensor(values);
            Tensor a = both.narrow(0, 0, (long) n * n).view(n, n);
            Tensor b = both.narrow(0, (long) n * n, (long) n * n).view(n, n);
            Tensor exact = a.to(torch.ScalarType.Double).matmul(b.to(torch.ScalarType.Double));
            Tensor error = a.matmul(b).to(torch.ScalarType.Double).sub(exact);
            return error.norm().item_double() / exact.norm().item_double();
        }
    }
}
