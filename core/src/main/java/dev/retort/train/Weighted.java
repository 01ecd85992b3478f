package dev.retort.train;

import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * A loss with its weight, constant or ramped.
 *
 * @param loss the loss
 * @param weight how much it counts
 */
public record Weighted(Loss loss, Ramp weight) {
    /** Ramped over its stage. */
    public Weighted(Loss loss, double from, double to) {
        this(loss, new Ramp(from, to));
    }

    /**
     * The weighted sum of what the loss said of the images of a pass, over the size of the batch.
     *
     * @param perSample (N)
     * @return a number
     */
    Tensor term(Tensor perSample, Pass pass, int batch) {
        if (!weight.byImage()) {
            return Ops.mul(perSample.sum(), weight.at(pass.clock()) / batch);
        }
        double[] weights = Arrays.stream(pass.places()
                        .orElseThrow(() -> new IllegalStateException(
                                loss.name() + " did not ask at the usual times, over which its weight runs")))
                .map(weight::at)
                .toArray();
        return Ops.mul(perSample.mul(Tensors.of(weights, Device.of(perSample))).sum(), 1.0 / batch);
    }
}
