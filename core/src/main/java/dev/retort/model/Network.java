package dev.retort.model;

import dev.retort.card.NetworkSpec;
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
     * Tells what a request will ask for, so that what depends on time and label alone can be computed once for all its
     * steps. Networks that gain nothing from it do nothing.
     *
     * @param times times of the coming calls
     * @param labels labels of the coming calls (N), 64-bit integers
     */
    public void prepare(double[] times, Tensor labels) {}

    /** What was built. */
    public abstract NetworkSpec spec();

    /** Recompute block insides during the backward pass instead of storing them. */
    public abstract void checkpointActivations(boolean on);
}
