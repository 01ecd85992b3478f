package dev.retort.nn;

import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/** Numbers as sines and cosines of several frequencies (Vaswani et al. 2017, §3.5): what a network embeds of a time or a scale. */
public final class Sinusoids {
    private static final double LONGEST = 10_000;

    private Sinusoids() {}

    /** 10000^(-k/(half - shift)) for each k below half. */
    public static double[] frequencies(int half, double shift) {
        double[] frequencies = new double[half];
        for (int k = 0; k < half; k++) {
            frequencies[k] = Math.exp(-Math.log(LONGEST) * k / (half - shift));
        }
        return frequencies;
    }

    /**
     * Of values times frequencies, which are fp32.
     *
     * @param values any shape, taken as (N)
     * @param cosinesFirst whether the cosines stand before the sines
     * @return (N, 2·frequencies), fp32
     */
    public static Tensor of(Tensor values, double[] frequencies, boolean cosinesFirst) {
        float[] f = new float[frequencies.length];
        for (int i = 0; i < f.length; i++) {
            f[i] = (float) frequencies[i];
        }
        Tensor angles = Ops.mul(Ops.reshape(values, -1, 1), Tensors.of(f, Device.of(values), 1, f.length));
        return cosinesFirst
                ? Ops.cat(1, Ops.cos(angles), Ops.sin(angles))
                : Ops.cat(1, Ops.sin(angles), Ops.cos(angles));
    }
}
