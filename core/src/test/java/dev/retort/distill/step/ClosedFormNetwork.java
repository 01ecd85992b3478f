package dev.retort.distill.step;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TapPoint;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The networks in closed form of the reference numbers, as one that can be trained: six parameters, and a number for each class. */
final class ClosedFormNetwork extends Network {
    /** What it computes of the state x (N, C, H, W), the time t and the class's number c (N, 1, 1, 1), by parameters p. */
    interface Form {
        Tensor of(Tensor[] p, Tensor x, Tensor t, Tensor end, Tensor c);
    }

    /** An x0 by EDM (alpha 1, sigma t) or a flow (alpha 1 - t, sigma t). */
    static Form x0(boolean flow) {
        return (p, x, t, end, c) -> {
            Tensor alpha = flow ? t.neg().add(Tensors.full(1, Device.CPU, 1)) : t.div(t);
            Tensor data = p[1].square();
            Tensor pull = p[0].mul(alpha)
                    .mul(data)
                    .mul(x)
                    .div(alpha.square().mul(data).add(t.square()));
            return pull.add(p[2].mul(p[3].mul(x).tanh()).mul(p[4].mul(t).cos())).add(p[5].mul(c));
        };
    }

    /** A mean velocity from t to where a step ends. */
    static final Form VELOCITY = (p, x, t, end, c) -> p[0].mul(x)
            .add(p[1].mul(p[2].mul(x).sin()).mul(p[3].mul(t).cos()))
            .add(p[4].mul(t.sub(end)).mul(x.tanh()))
            .add(p[5].mul(c));

    /** Pictures of the cases, each of a class of its own. */
    record Spec(ScalarInputs scalars) implements NetworkSpec {
        static final int PICTURES = 4;

        @Override
        public Spec with(ScalarInputs told) {
            return new Spec(told);
        }

        @Override
        public String name() {
            return "closed form";
        }

        @Override
        public int channels() {
            return 3;
        }

        @Override
        public int height() {
            return 4;
        }

        @Override
        public int width() {
            return 4;
        }

        @Override
        public ConditionSpec condition() {
            return ConditionSpec.ofClasses(PICTURES, true).withNumbers(scalars.parts());
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long macs() {
            return 0;
        }

        @Override
        public List<TapPoint> taps() {
            return List.of();
        }
    }

    private final Spec spec;
    private final Form form;
    private final Tensor weights;
    private final Tensor numbers;

    /**
     * @param weights of which the first six are its parameters
     * @param numbers of the classes; that of none is 0
     */
    ClosedFormNetwork(Form form, ScalarInputs told, double[] weights, double[] numbers) {
        spec = new Spec(told);
        this.form = form;
        try (Scope scope = Scope.open()) {
            this.weights = parameter("p", Tensors.of(Arrays.copyOf(weights, 6), Device.CPU));
            this.numbers = buffer("numbers", Tensors.of(Arrays.copyOf(numbers, Spec.PICTURES + 1), Device.CPU));
        }
    }

    Predictor predicts(Prediction prediction, NoiseSchedule schedule, double guidance) {
        return new Predictor(
                this, new LabelConditioner(spec.condition()), schedule, prediction, guidance, Precision.FP32);
    }

    /** The gradient that a backward pass has left. */
    float[] gradient() {
        return Tensors.floats(weights.grad());
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        Tensor[] p = new Tensor[6];
        Arrays.setAll(p, k -> weights.narrow(0, k, 1));
        Tensor t = time.view(-1, 1, 1, 1);
        Tensor end = condition.has(Part.END_TIME) ? condition.get(Part.END_TIME).view(-1, 1, 1, 1) : t;
        return form.of(
                p, x, t, end, numbers.index_select(0, condition.get(Part.LABEL)).view(-1, 1, 1, 1));
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {}
}
