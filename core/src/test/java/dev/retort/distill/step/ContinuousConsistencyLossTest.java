package dev.retort.distill.step;

import dev.retort.Conditions;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.StepCase;
import dev.retort.diffusion.step.Tangents;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ContinuousConsistencyLossTest {
    private static Loss loss(Optional<String> teacher, double step) {
        return new ContinuousConsistencyLoss(
                teacher, LossContract.SCHEDULE, new TimeSampler.LogitNormal(-0.4, 1), 0.5, 0.8, step);
    }

    @Nested
    class Training extends LossContract {
        @Override
        protected Loss loss() {
            return ContinuousConsistencyLossTest.loss(Optional.empty(), 0);
        }
    }

    @Nested
    class Distillation extends LossContract {
        @Override
        protected Loss loss() {
            return ContinuousConsistencyLossTest.loss(Optional.of("teacher"), 0);
        }
    }

    @Nested
    class With_a_difference extends LossContract {
        @Override
        protected Loss loss() {
            return ContinuousConsistencyLossTest.loss(Optional.of("teacher"), 1e-2);
        }
    }

    /** The cases' networks say x0; asked for the velocity, they say what comes to the same. */
    private static ClosedFormNetwork network(double[] p, StepCase reference) {
        ClosedFormNetwork.Form x0 = ClosedFormNetwork.x0(true);
        return new ClosedFormNetwork(
                (w, x, t, end, c) -> x.sub(x0.of(w, x, t, end, c)).div(t), ScalarInputs.NONE, p, reference.get("cond"));
    }

    /**
     * The reference numbers on a flow, in fp32, whose norm counts in units of the number of values. Their weights of samples and the learned
     * uncertainty are put before the loss here. Those of EDM, which is no schedule of ours, and of another norm are met in double ({@code diffusion}).
     */
    @Test
    void it_agrees_with_the_reference_in_training_and_in_distillation() {
        StepCase reference = StepCase.of("fastgen-scm");
        double[][] p = reference.rows("params");
        double[] t = reference.get("rf.t");
        NoiseSchedule flow = new FlowLinear();
        Condition each = Conditions.classes(0, 1, 2, 3);
        for (String name : new String[] {"rf.ct.jvp.it10000", "rf.cd.jvp.it5000"}) {
            JsonNode config = reference.config(name);
            boolean distil = config.get("distillation").asBoolean();
            try (Scope scope = Scope.open();
                    ClosedFormNetwork student = network(p[0], reference);
                    ClosedFormNetwork teacher = network(p[1], reference)) {
                ReferencePass pass = new ReferencePass(
                        Map.of(
                                "student", student.predicts(Prediction.FLOW, flow, 1),
                                "teacher", teacher.predicts(Prediction.FLOW, flow, 1.7)),
                        flow,
                        reference.get("x0"),
                        reference.get("z_unit"),
                        each);
                Tensor plain = new ContinuousConsistencyLoss(
                                distil ? Optional.of("teacher") : Optional.empty(), flow, null, 0.5, 0, 0)
                        .at(
                                pass,
                                t,
                                Tangents.warmUp(
                                        config.get("iteration").asLong(),
                                        config.get("tangent_warmup_steps").asLong()));
                float[] unweighted = Tensors.floats(plain);
                reference.checkFp32(name + ".unweighted", unweighted);
                double[] weights = new double[t.length];
                double[] variances = new double[t.length];
                float[] losses = new float[t.length];
                double byVariance = 0;
                for (int i = 0; i < t.length; i++) {
                    variances[i] = p[0][6] * t[i] / (1 + t[i]);
                    weights[i] = Math.exp(-variances[i]) * (distil ? 1 / t[i] / 48 : 1);
                    losses[i] = (float) (unweighted[i] * weights[i] + variances[i]);
                    byVariance += (1 - unweighted[i] * weights[i]) * t[i] / (1 + t[i]) / t.length;
                }
                reference.checkFp32(name + ".loss", losses);
                Ops.mul(plain, Tensors.of(weights, Device.CPU)).mean().backward();
                float[] gradient = Arrays.copyOf(student.gradient(), 7);
                gradient[6] = (float) byVariance;
                reference.checkFp32(name + ".grad_student", gradient);
            }
        }
    }
}
