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

/** Picks the settings of the native libraries that suit this machine, once, right after they load. */
final class NativeTuning {
    /** An fp32 product is exact to about 5e-7 here; bf16 arithmetic would be 2e-3 off. */
    private static final double EXACT = 1e-5;

    private static final int MALLOPT_TRIM_THRESHOLD = -1;
    private static final int MALLOPT_TOP_PAD = -2;
    private static final int MALLOPT_MMAP_THRESHOLD = -3;

    private static String fp32 = "";

    private NativeTuning() {}

    /** Applies the settings and returns the number of op threads. */
    static int apply() {
        // The stock libtorch calls OpenBLAS, whose own thread pool fights libgomp's.
        try {
            org.bytedeco.openblas.presets.openblas_nolapack.blas_set_num_threads(1);
        } catch (LinkageError e) {
            fp32 = "another BLAS; ";
        }
        keepFreedMemory();
        // OpenBLAS does not know recent CPUs. Allowing bf16 arithmetic routes fp32 products to oneDNN instead, which on
        // a
        // CPU without AMX computes them in exact fp32, about twice as fast; with AMX it would round, so it is probed.
        setFloat32Matmul(Float32Precision.BF16);
        if (torch.hasMKLDNN() && relativeError() < EXACT) {
            fp32 += "fp32 products by oneDNN";
        } else {
            setFloat32Matmul(Float32Precision.IEEE);
            fp32 += "fp32 products by BLAS on one thread";
        }
        // libtorch in a JVM counts the machine's cores, not those this process may use.
        torch.set_num_threads(
                Math.min(torch.get_num_threads(), Runtime.getRuntime().availableProcessors()));
        return torch.get_num_threads();
    }

    /** What was chosen, for the log and for {@code retort doctor}. */
    static String description() {
        return fp32;
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

    private static void setFloat32Matmul(Float32Precision precision) {
        torch.globalContext().setFloat32Precision(Float32Backend.MKLDNN, Float32Op.MATMUL, precision);
    }

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
