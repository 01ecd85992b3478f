package dev.retort.distill.loss;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A network that answers what it was told to. */
final class Told extends Network {
    private final DitSpec spec;
    private final Tensor answer;
    private final Map<String, Tensor> taps;
    private int asked;

    Told(DitSpec spec, Tensor answer, Map<String, Tensor> taps) {
        this.spec = spec;
        this.answer = answer;
        this.taps = taps;
        buffer("anything", Tensors.zeros(Device.CPU, 1));
    }

    /** A spec of this size; only sizes matter. */
    static DitSpec spec(int size, int patch, int hidden, boolean learnSigma) {
        return new DitSpec(size, size, 3, patch, hidden, 4, 2, 4, 5, 0.1, learnSigma, false);
    }

    /** This network as a teacher of a process. */
    Teacher teacher(ProcessSpec process) {
        ModelCard card = ModelCard.of(
                spec,
                process,
                SamplingSpec.of("flow-euler", 1, 1),
                List.of("a", "b", "c", "d", "e"),
                "",
                0,
                0,
                "",
                Map.of());
        return new Teacher(this, card, "", 1, Precision.FP32);
    }

    /** How often it was. */
    int asked() {
        return asked;
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps wanted) {
        asked++;
        taps.forEach(wanted::offer);
        return answer;
    }

    @Override
    public DitSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {}
}
