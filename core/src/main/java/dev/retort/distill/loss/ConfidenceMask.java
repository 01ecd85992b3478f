package dev.retort.distill.loss;

import dev.retort.nn.Layer;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * A loss on the images of which a teacher is sure: Σ mᵢ·Lᵢ / max(1, Σ mᵢ) over the whole batch, so that its size does not depend on how
 * many pass (pkd.md §4 row 17). mᵢ = [cᵢ > threshold]·cᵢ^power of the confidence cᵢ, which {@link TeacherConfidence} measures.
 */
public final class ConfidenceMask implements Loss {
    private final Loss loss;
    private final String teacher;
    private final double threshold;
    private final double power;

    /**
     * @param loss of each image; closed with this
     * @param teacher name of the player whose confidence counts
     * @param threshold confidence up to which an image counts for nothing
     * @param power 0 for a mask of ones and zeros
     */
    public ConfidenceMask(Loss loss, String teacher, double threshold, double power) {
        this.loss = loss;
        this.teacher = teacher;
        this.threshold = threshold;
        this.power = power;
    }

    @Override
    public String name() {
        return loss.name();
    }

    @Override
    public Map<String, Set<String>> taps() {
        return loss.taps();
    }

    @Override
    public Map<String, Layer> parts() {
        return loss.parts();
    }

    @Override
    public boolean wholeBatch() {
        return true;
    }

    @Override
    public Tensor perSample(Pass pass) {
        Tensor confidence = TeacherConfidence.of(pass, teacher);
        Tensor mask = Dtype.F32.cast(Ops.greater(confidence, threshold)).mul(Ops.power(confidence, power));
        Tensor all = Ops.clamp(mask.sum(), 1, pass.count());
        // The mean over a batch of what is returned is the sum over the mask's.
        return Ops.mul(loss.perSample(pass).mul(mask).div(all), pass.count());
    }

    @Override
    public void close() {
        loss.close();
    }
}
