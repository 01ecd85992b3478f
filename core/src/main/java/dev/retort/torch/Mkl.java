package dev.retort.torch;

import java.io.File;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.presets.openblas_nolapack.MklSetNumThreadsLocal;

/**
 * Intel's MKL in the place of OpenBLAS, where its libraries are on the class path (Maven profile {@code mkl}). They are
 * loaded before the others and their names made global, so the linker finds a BLAS routine there first, for libtorch and
 * for {@link BlasProducts} alike. The presets' own way, {@code org.bytedeco.openblas.load=mkl}, puts a link in the place of
 * OpenBLAS's file in a cache that processes without MKL share, and comes too late for a libtorch that is loaded by path.
 *
 * <p>MKL computes on the OpenMP threads of libtorch: one pool, not two that take each other's cores.
 */
final class Mkl {
    /** The one to load finds the others in its folder, that of the CPU's kind among them. */
    static final List<String> LIBRARIES = List.of(
            "libmkl_rt.so.2",
            "libmkl_core.so.2",
            "libmkl_intel_lp64.so.2",
            "libmkl_gnu_thread.so.2",
            "libmkl_def.so.2",
            "libmkl_mc3.so.2",
            "libmkl_avx2.so.2",
            "libmkl_avx512.so.2");

    private static final int GNU_OPENMP = 3;

    private static Function everywhere;
    private static Function here;

    private Mkl() {}

    /** Loads it; called after libgomp and before whatever calls BLAS. */
    static void load(List<File> unpacked) {
        if (unpacked.isEmpty()) {
            return;
        }
        Loader.loadGlobal(unpacked.get(0).getAbsolutePath());
        new Function("MKL_Set_Threading_Layer").call(GNU_OPENMP);
        everywhere = new Function("MKL_Set_Num_Threads");
        here = new Function("MKL_Set_Num_Threads_Local");
    }

    /** {@code int f(int)} of MKL; what a {@code void} one returns is not looked at. */
    private static final class Function extends MklSetNumThreadsLocal {
        Function(String name) {
            Pointer address = Loader.addressof(name);
            if (address == null || address.isNull()) {
                throw new UnsatisfiedLinkError(name + " is not in " + LIBRARIES.get(0));
            }
            put(address);
        }
    }

    static boolean isLoaded() {
        return here != null;
    }

    /** Threads of each product, whoever asks for it. */
    static void threads(int count) {
        everywhere.call(count);
    }

    /**
     * Threads of each product that the calling thread asks for; 0 for those of {@link #threads(int)}.
     *
     * @return what it was; 0 where there is no MKL, which then keeps what it has
     */
    static int threadsHere(int count) {
        return here == null ? 0 : here.call(count);
    }
}
