package dev.retort.model;

import dev.retort.nn.Layer;
import dev.retort.nn.Taps;
import org.bytedeco.pytorch.Tensor;

/** A denoising network: its output is in the prediction space and time convention of the checkpoint it belongs to. */
public abstract class Network extends Layer {
    /**
     * One evaluation.
     *
     * @param x noisy images or latents (N, C, H, W), fp32
     * @param time time of each sample in the network's units (N), fp32
     * @param label class of each sample (N), 64-bit integers; the null class where unconditional
     * @param taps intermediates to hand out
     * @return (N, outputs, H, W), fp32; channels beyond C carry the learned variance
     */
    public abstract Tensor forward(Tensor x, Tensor time, Tensor label, Taps taps);

    /**
     * Announces the calls of a sampling request, so that what depends on time and label alone can be computed at once.
     *
     * @param times times of the calls to come
     * @param labels labels of the calls to come (N)
     */
    public void prepare(double[] times, Tensor labels) {
        // Most networks have nothing to prepare.
    }

    /** What was built. */
    public abstract NetworkSpec spec();

    /** Recompute block insides during the backward pass instead of storing them. */
    public abstract void checkpointActivations(boolean on);
}
