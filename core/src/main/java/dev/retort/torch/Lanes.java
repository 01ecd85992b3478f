package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Threads of the {@link Team} that each take their share of a batch from a network's first op to its last, alone, and meet at
 * its end only. Threads that share out every op meet after each, some 70 times in a step of 5 ms, and have to be woken often.
 *
 * <p>A sampling step of four pictures on two cores of an AMD EPYC (Zen 5) capped to AVX2, 27 November 2026, every op shared
 * out beside two lanes: {@code fashion-student} 5.1 to 6.2 ms beside 4.4 to 5.5, {@code fashion-teacher} 22 to 23 beside 18 to 19.
 */
public final class Lanes {
    /** A step follows another within less: what a solver does between two of them. */
    private static final long AWAKE_NANOS = 300_000;

    private Lanes() {}

    /**
     * Whether {@link #run} would use several threads: for more than one sample, on the CPU, with products that are not on
     * threads of BLAS's own, and while nothing is recorded, which a {@link Recorder} does for its own thread.
     */
    public static boolean worth(Tensor batch) {
        return !Recorder.isOn()
                && !batch.is_cuda()
                && batch.size(0) > 1
                && Natives.threads() > 1
                && Kernels.current().linear() != Kernels.Linear.BLAS_THREADS;
    }

    /**
     * Applies a function of batches to shares of them, without a graph, and joins what it returns.
     *
     * @param function from inputs of n samples each to a tensor of n samples; called on several threads at once
     * @param inputs each (N, …)
     */
    public static Tensor run(Function<Tensor[], Tensor> function, Tensor... inputs) {
        Team team = Natives.team();
        int samples = (int) inputs[0].size(0);
        int shares = Math.min(samples, team.threads());
        Tensor[] results = new Tensor[shares];
        try {
            team.run(
                    shares,
                    share -> {
                        int first = share * samples / shares;
                        int end = (share + 1) * samples / shares;
                        results[share] = alone(function, inputs, first, end - first);
                    },
                    AWAKE_NANOS);
            return torch.cat(new TensorVector(results), 0);
        } finally {
            for (Tensor result : results) {
                if (result != null) {
                    result.close();
                }
            }
        }
    }

    /** The function's value for some samples, computed by this thread alone. */
    private static Tensor alone(Function<Tensor[], Tensor> function, Tensor[] inputs, int first, int length) {
        torch.get_num_threads(); // takes the default for this thread, which its first op would otherwise do again
        torch.set_num_threads(1);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor[] mine = new Tensor[inputs.length];
            for (int i = 0; i < mine.length; i++) {
                mine[i] = inputs[i].narrow(0, first, length);
            }
            return scope.keep(function.apply(mine));
        } finally {
            torch.set_num_threads(Natives.threads());
        }
    }
}
