package dev.retort.torch;

import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/** Picks the settings of the native libraries that suit this machine, once, right after they load. */
final class NativeTuning {
    private static String blas = "OpenBLAS on one thread";

    private NativeTuning() {}

    /** Applies the settings and returns the number of op threads. */
    static int apply() {
        int threads = torch.get_num_threads();
        // The stock libtorch calls OpenBLAS, whose own thread pool fights libgomp's; one thread there and oneDNN for
        // everything large is faster at every size measured (docs/results.md).
        try {
            openblas_nolapack.blas_set_num_threads(1);
        } catch (LinkageError e) {
            blas = "another BLAS";
        }
        return threads;
    }

    /** What was chosen, for the log and for {@code retort doctor}. */
    static String description() {
        return blas + ", oneDNN " + (torch.hasMKLDNN() ? "on" : "absent");
    }
}
