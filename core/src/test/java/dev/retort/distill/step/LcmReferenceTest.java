package dev.retort.distill.step;

import dev.retort.Conditions;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Lcm;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.diffusion.step.StepCase;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** Latent consistency distillation on tensors beside the reference numbers; its squared distances have no loss on tensors. */
class LcmReferenceTest {
    /** The table's own numbers, guided by the script's offset form, in the elementwise distance of latent consistency models. */
    @Test
    void latent_consistency_distillation_agrees_over_skipped_intervals_and_with_the_samplers_form() {
        StepCase reference = StepCase.of("lcm");
        DiscreteSchedule table = DiscreteSchedule.ofAlphaBar("given", reference.get("alphas_cumprod"));
        double[][] p = reference.rows("step.params");
        double[] scales = Arrays.stream(reference.get("step.w"))
                .map(w -> Guidance.offset(w).standardScaleAt(0))
                .toArray();
        double[] embedded = Arrays.stream(reference.rows("step.w_embedding"))
                .mapToDouble(row -> Arrays.stream(row).average().orElseThrow())
                .toArray();
        double[] t = reference.get("step.start_timesteps");
        double[] r = reference.get("step.timesteps");
        Map.of("epsilon", Prediction.EPSILON, "v_prediction", Prediction.V).forEach((name, prediction) -> {
            try (Scope scope = Scope.open();
                    ClosedFormNetwork student = latent(p[0], Optional.of(embedded), reference);
                    ClosedFormNetwork target = latent(p[1], Optional.of(embedded), reference);
                    ClosedFormNetwork teacher = latent(p[2], Optional.empty(), reference)) {
                ReferencePass pass = new ReferencePass(
                        Map.of(
                                "student", student.predicts(prediction, table, 1),
                                "target", target.predicts(prediction, table, 1),
                                "teacher", teacher.predicts(prediction, table, 1)),
                        table,
                        reference.get("step.latents"),
                        reference.get("step.noise"),
                        Conditions.classes(0, 1, 2, 3).with(Part.GUIDANCE, scales));
                Tensor loss = new ConsistencyLoss(
                                "target",
                                Optional.of("teacher"),
                                table,
                                null,
                                new ConsistencyLoss.Distance(new PseudoHuber(0.001), true),
                                ConsistencyWeight.ONE,
                                time -> new Lcm().form(table, time))
                        .at(pass, t, r);
                reference.checkFp32("step." + name + ".huber.loss", Tensors.floats(loss.mean()));
                loss.mean().backward();
                reference.checkFp32("step." + name + ".huber.grad_student", student.gradient());
            }
        });
    }

    /** @param told what it makes of the guidance that it is told; nothing where it is asked twice instead */
    private static ClosedFormNetwork latent(double[] p, Optional<double[]> told, StepCase reference) {
        ClosedFormNetwork.Form plain = (q, x, t, end, c) -> q[0].mul(x)
                .add(q[1].mul(q[2].mul(x).tanh()).mul(Ops.mul(q[3].mul(t), 1e-3).cos()))
                .add(q[4].mul(c));
        ClosedFormNetwork.Form form = told.<ClosedFormNetwork.Form>map(
                        w -> (q, x, t, end, c) -> plain.of(q, x, t, end, c).add(q[5].mul(Tensors.column(w, x))))
                .orElse(plain);
        return new ClosedFormNetwork(form, new ScalarInputs(told.isPresent(), 0), p, reference.get("step.cond"));
    }
}
