package dev.retort.distill.step;

import dev.retort.card.ImageShape;
import dev.retort.diffusion.step.DensityRatios;
import dev.retort.model.Answer;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * The mean density ratio of made images in each of a few equal bins of time: numbers that follow it by {@link DensityLevelLoss}. A moving average
 * would do the same, but as a player's weights they are kept in checkpoints, and no loss depends on how a batch is cut.
 */
public final class DensityLevels implements Respondent {
    private static final int BINS = 10;

    private final ImageShape images;
    private final double from;
    private final double to;
    private final Means means;

    private static final class Means extends Layer {
        private final Tensor values;

        Means(Device device) {
            values = parameter("values", Tensors.full(1, device, BINS));
        }
    }

    /**
     * @param images shape of the images whose densities are meant
     * @param from first time of the first bin, as networks are told it
     * @param to last time of the last
     */
    public DensityLevels(ImageShape images, Device device, double from, double to) {
        this.images = images;
        this.from = from;
        this.to = to;
        try (Scope scope = Scope.open()) {
            means = new Means(device);
        }
    }

    @Override
    public Layer network() {
        return means;
    }

    @Override
    public ImageShape images() {
        return images;
    }

    /** The means (N) at the question's times. */
    @Override
    public Answer ask(Question question, Set<String> taps) {
        long[] bins = Arrays.stream(question.times())
                .mapToLong(time -> DensityRatios.bin(time, BINS, from, to))
                .toArray();
        try (NoGrad off = question.gradient() == Gradient.NONE ? NoGrad.on() : null) {
            return Answer.of(Ops.indexSelect(means.values, 0, Tensors.of(bins, means.device())), Map.of());
        }
    }

    @Override
    public void recompute(boolean on) {}
}
