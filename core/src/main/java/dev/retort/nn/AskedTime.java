package dev.retort.nn;

import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * The time at which this thread asks a network, for kernels whose numbers differ from step to step: a network says it around its
 * layers. It is read from the tensor only if a kernel wants it.
 */
public final class AskedTime implements AutoCloseable {
    private static final ThreadLocal<AskedTime> CURRENT = new ThreadLocal<>();

    private final Tensor tensor;
    private double[] times;
    private AskedTime before;

    private AskedTime(Tensor tensor, double[] times) {
        this.tensor = tensor;
        this.times = times;
    }

    /** One time for all samples, in the network's units. */
    public static AskedTime of(double time) {
        return new AskedTime(null, new double[] {time});
    }

    /** A time for each sample (N). */
    public static AskedTime of(Tensor times) {
        return new AskedTime(times, null);
    }

    /** What this thread's network says now, for a part of it that is computed again later; empty of times where it says none. */
    public static AskedTime here() {
        AskedTime current = CURRENT.get();
        return current == null ? new AskedTime(null, null) : current;
    }

    /** Said on this thread until it is closed there. */
    public AskedTime begin() {
        AskedTime mine = new AskedTime(tensor, times);
        mine.before = CURRENT.get();
        CURRENT.set(mine);
        return mine;
    }

    /** Whether it is the same for all samples. */
    public boolean isOne() {
        double[] all = times();
        return Arrays.stream(all).allMatch(time -> time == all[0]);
    }

    private double[] times() {
        if (times == null) {
            float[] values = Tensors.floats(tensor);
            times = new double[values.length];
            for (int i = 0; i < times.length; i++) {
                times[i] = values[i];
            }
        }
        return times;
    }

    /** What is said now, of the first sample; NaN where this thread's network has said none, as before its first step. */
    public static double one() {
        AskedTime current = here();
        return current.times == null && current.tensor == null ? Double.NaN : current.times()[0];
    }

    /** Of each sample, or one for all; an {@link IllegalStateException} where this thread's network has said none. */
    static double[] current() {
        AskedTime current = CURRENT.get();
        if (current == null || current.times == null && current.tensor == null) {
            throw new IllegalStateException("a layer has ranges for several times, and its network does not say which"
                    + " it is: AskedTime.begin() is to be called around the layers of a forward");
        }
        return current.times();
    }

    @Override
    public void close() {
        if (before == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(before);
        }
    }
}
