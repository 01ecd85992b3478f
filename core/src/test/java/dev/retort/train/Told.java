package dev.retort.train;

import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A network that answers what it was told to. */
public final class Told extends Network {
    private final DitSpec spec;
    private final Tensor answer;
    private final Map<String, Tensor> taps;
    private int asked;

    /** Answers that. */
    public Told(DitSpec spec, Tensor answer, Map<String, Tensor> taps) {
        this.spec = spec;
        this.answer = answer;
        this.taps = taps;
        buffer("anything", Tensors.zeros(Device.CPU, 1));
    }

    /** A spec of this size; only sizes matter. */
    public static DitSpec spec(int size, int patch, int hidden, boolean learnSigma) {
        return spec(size, 3, patch, hidden, learnSigma);
    }

    /** The same of images of so many channels. */
    public static DitSpec spec(int size, int channels, int patch, int hidden, boolean learnSigma) {
        return new DitSpec(size, size, channels, patch, hidden, 4, 2, 4, 5, 0.1, learnSigma, false);
    }

    /** This network as a player that learns a process. */
    public Player student(ProcessSpec process) {
        return student(process.noiseSchedule(), process.prediction());
    }

    /** This network as a player that learns. */
    public Player student(NoiseSchedule schedule, Prediction prediction) {
        OptimizerConfig any = new OptimizerConfig(1, "constant", 0, 0.9, 0.99, 1e-8, 0, 0);
        return new Player("student", asked(schedule, prediction), new Player.Role.Learns(any));
    }

    /** This network as a frozen teacher of a process. */
    public Player teacher(ProcessSpec process) {
        return Player.frozen("teacher", asked(process.noiseSchedule(), process.prediction()));
    }

    private Predictor asked(NoiseSchedule schedule, Prediction prediction) {
        return new Predictor(this, new LabelConditioner(spec.condition()), schedule, prediction, 1, Precision.FP32);
    }

    /** How often it was. */
    public int asked() {
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
