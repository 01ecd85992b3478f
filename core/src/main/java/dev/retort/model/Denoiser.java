package dev.retort.model;

import dev.retort.card.NetworkSpec;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Whatever predicts noise, image or velocity from a noisy image; its output is in the prediction space and time convention
 * of the checkpoint it belongs to. It may be asked on several threads at once.
 */
public interface Denoiser extends AutoCloseable {
    /**
     * One evaluation.
     *
     * @param x noisy images or latents (N, C, H, W), fp32
     * @param time time of each sample in the network's units (N), fp32
     * @param condition of each sample, with the parts that {@link #spec()} names
     * @param taps intermediates to hand out
     * @return (N, outputs, H, W), fp32; channels beyond C carry the learned variance
     */
    Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps);

    /** What it is. */
    NetworkSpec spec();

    /** Where it computes. */
    Device device();

    /**
     * Opens a request: many evaluations of the same samples, one after another. What depends on times and condition alone
     * is computed here, once, by a network that gains from it.
     *
     * @param moments what each step tells of all samples alike
     * @param condition of each sample; outlives the request
     */
    default Request open(List<Moment> moments, Condition condition) {
        return (step, x) -> {
            long n = x.size(0);
            Moment moment = moments.get(step);
            Tensor time = Tensors.full(moment.time(), device(), n);
            return forward(x, time, moment.tell(condition.rows(0, n)), Taps.none());
        };
    }

    @Override
    void close();
}
