package dev.retort.model;

import org.bytedeco.pytorch.Tensor;

/**
 * The steps of one request to a {@link Denoiser}. All that a request holds is its own, so several may be open on one network,
 * each on its thread. Close it where it was opened; the network outlives it.
 */
@FunctionalInterface
public interface Request extends AutoCloseable {
    /**
     * One evaluation; nothing is read back from the device.
     *
     * @param step index of its moment among those the request was opened with
     * @param x noisy images or latents (n, C, H, W), fp32: of the first n samples that the request was opened for
     * @return (n, outputs, H, W), fp32; channels beyond C carry the learned variance
     */
    Tensor call(int step, Tensor x);

    @Override
    default void close() {}
}
