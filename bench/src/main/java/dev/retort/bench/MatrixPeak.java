package dev.retort.bench;

import dev.retort.torch.Dtype;
import dev.retort.torch.Natives;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The fastest square matrix product libtorch does on this machine: what a share of peak is a share of. */
final class MatrixPeak {
    private static final long[] SIDES = {1024, 2048};
    private static final int REPEATS = 12;

    private MatrixPeak() {}

    /** 10⁹ operations per second in fp32 or bf16. */
    static double measure(boolean bf16) {
        Natives.load();
        double best = 0;
        try (Scope outer = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (long side : SIDES) {
                Tensor a = (bf16 ? Dtype.BF16 : Dtype.F32).cast(torch.randn(side, side));
                Tensor b = (bf16 ? Dtype.BF16 : Dtype.F32).cast(torch.randn(side, side));
                for (int i = 0; i < REPEATS; i++) {
                    try (Scope scope = Scope.open()) {
                        long start = System.nanoTime();
                        a.mm(b);
                        best = Math.max(best, 2.0 * side * side * side / (System.nanoTime() - start));
                    }
                }
            }
        }
        return best;
    }
}
