package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The reference numbers of latent consistency distillation: solver, scalings, conversions, embedding, the loss of a step. */
class LcmCaseTest {
    private static final int SKIP = 20;

    private final StepCase reference = StepCase.of("lcm");
    private final DiscreteSchedule schedule = DiscreteSchedule.ofAlphaBar("given", reference.get("alphas_cumprod"));
    private final double[][] p = reference.rows("step.params");
    private final double[] cond = reference.get("step.cond");

    @Test
    void every_output_but_the_average_of_parameters_agrees() {
        double[] solver = solver();
        scalings(10);
        scalings(1);
        for (int dimension : new int[] {32, 7}) {
            reference.check(
                    "embedding.dim" + dimension,
                    Arrays.stream(reference.get("embedding.w"))
                            .mapToObj(new GuidanceEmbedding(dimension)::of)
                            .toArray(double[][]::new));
        }
        Map.of("epsilon", Prediction.EPSILON, "sample", Prediction.X0, "v_prediction", Prediction.V)
                .forEach(this::conversion);
        ddim(solver);
        step("epsilon.l2", Prediction.EPSILON, solver);
        step("epsilon.huber", Prediction.EPSILON, solver);
        step("v_prediction.huber", Prediction.V, solver);
        assertThat(reference.open()).containsExactly("ema.after");
    }

    private double[] solver() {
        double[] times = TimeGrid.consistency(schedule, 50, 50).times();
        double[] ascending = new double[times.length];
        double[] alphaBar = new double[times.length];
        double[] before = new double[times.length];
        for (int i = 0; i < times.length; i++) {
            ascending[i] = times[times.length - 1 - i];
            alphaBar[i] = schedule.alphaBar((int) ascending[i]);
            before[i] = schedule.alphaBar((int) previous(ascending, i));
        }
        reference.check("solver.ddim_timesteps", ascending);
        reference.check("solver.alpha_cumprods", alphaBar);
        reference.check("solver.alpha_cumprods_prev", before);
        return ascending;
    }

    private static double previous(double[] times, int index) {
        return index == 0 ? 0 : times[index - 1];
    }

    private void scalings(int scale) {
        double[] times = reference.get("scalings.timesteps");
        reference.check(
                "scalings.scale" + scale + ".c_skip",
                Arrays.stream(times)
                        .map(t -> BoundaryScaling.ofTime(t, scale).skip())
                        .toArray());
        reference.check(
                "scalings.scale" + scale + ".c_out",
                Arrays.stream(times)
                        .map(t -> BoundaryScaling.ofTime(t, scale).out())
                        .toArray());
    }

    private void conversion(String name, Prediction prediction) {
        double[] times = reference.get("convert.timesteps");
        double[][] x = reference.rows("convert.sample");
        double[][] output = reference.rows("convert.model_output");
        double[][] x0 = new double[x.length][x[0].length];
        double[][] eps = new double[x.length][x[0].length];
        for (int b = 0; b < x.length; b++) {
            TimeGrid.Point at = schedule.point(times[b]);
            for (int i = 0; i < x[b].length; i++) {
                x0[b][i] = prediction.x0FromState(at.alpha(), at.sigma()) * x[b][i]
                        + prediction.x0FromOutput(at.alpha(), at.sigma()) * output[b][i];
                eps[b][i] = prediction.epsFromState(at.alpha(), at.sigma()) * x[b][i]
                        + prediction.epsFromOutput(at.alpha(), at.sigma()) * output[b][i];
            }
        }
        reference.check("convert." + name + ".x0", x0);
        reference.check("convert." + name + ".eps", eps);
    }

    private void ddim(double[] solver) {
        double[] index = reference.get("ddim.index");
        double[][] x0 = reference.rows("convert.sample");
        double[][] eps = reference.rows("convert.model_output");
        for (int b = 0; b < x0.length; b++) {
            TimeGrid.Point t = schedule.point(solver[(int) index[b]]);
            TimeGrid.Point s = schedule.point(previous(solver, (int) index[b]));
            FirstOrderStep step = FirstOrderStep.between(t, s);
            for (int i = 0; i < x0[b].length; i++) {
                double x = t.alpha() * x0[b][i] + t.sigma() * eps[b][i];
                x0[b][i] = step.fromState() * x + step.fromX0() * x0[b][i];
            }
        }
        reference.check("ddim.x_prev", x0);
    }

    /** The network on one element; the teacher has no embedding. */
    private static Dual network(Dual[] params, Dual x, double time, double condition, double embedding) {
        return params[0]
                .times(x)
                .plus(params[1]
                        .times(params[2].times(x).tanh())
                        .times(params[3].times(time / 1000).cos()))
                .plus(params[4].times(condition))
                .plus(params[5].times(embedding));
    }

    private Dual jump(Prediction prediction, Dual[] params, double x, double time, int b, double embedding) {
        TimeGrid.Point at = schedule.point(time);
        BoundaryScaling form = BoundaryScaling.ofTime(time, 10);
        Dual x0 = network(params, Dual.of(x), time, cond[b], embedding)
                .times(prediction.x0FromOutput(at.alpha(), at.sigma()))
                .plus(prediction.x0FromState(at.alpha(), at.sigma()) * x);
        return x0.times(form.out()).plus(form.skip() * x);
    }

    private void step(String name, Prediction prediction, double[] solver) {
        double[] index = reference.get("step.index");
        double[] w = reference.get("step.w");
        double[][] embeddings = reference.rows("step.w_embedding");
        double[][] latents = reference.rows("step.latents");
        double[][] noise = reference.rows("step.noise");
        int size = latents[0].length;
        double[] starts = new double[4];
        double[] ends = new double[4];
        double[][] noisy = new double[4][size];
        double[][] said = new double[4][size];
        double[][] before = new double[4][size];
        double[][] targets = new double[4][size];
        Dual[] losses = new Dual[4 * size];
        Dual[] student = Dual.variables(p[0]);
        PseudoHuber huber = new PseudoHuber(0.001);
        for (int b = 0; b < 4; b++) {
            starts[b] = solver[(int) index[b]];
            ends[b] = Math.max(starts[b] - SKIP, 0);
            TimeGrid.Point t = schedule.point(starts[b]);
            FirstOrderStep step = FirstOrderStep.between(t, schedule.point(previous(solver, (int) index[b])));
            double scale = Guidance.offset(w[b]).standardScaleAt(starts[b]);
            double embedding = Arrays.stream(embeddings[b]).average().orElseThrow();
            for (int i = 0; i < size; i++) {
                double x = t.alpha() * latents[b][i] + t.sigma() * noise[b][i];
                Dual[] teacher = Dual.constants(p[2]);
                double with = network(teacher, Dual.of(x), starts[b], cond[b], 0).value;
                double without = network(teacher, Dual.of(x), starts[b], 0, 0).value;
                double guided = without + scale * (with - without);
                noisy[b][i] = x;
                before[b][i] = step.fromStateBeside(prediction, t) * x + step.fromOutput(prediction, t) * guided;
                targets[b][i] = jump(prediction, Dual.constants(p[1]), before[b][i], ends[b], b, embedding).value;
                Dual output = jump(prediction, student, x, starts[b], b, embedding);
                said[b][i] = output.value;
                Dual square = output.plus(-targets[b][i]).squared();
                losses[b * size + i] =
                        name.endsWith("l2") ? square : square.map(huber.of(square.value), huber.slope(square.value));
            }
        }
        reference.check("step.start_timesteps", starts);
        reference.check("step.timesteps", ends);
        reference.check("step.noisy", noisy);
        reference.check("step." + name + ".model_pred", said);
        reference.check("step." + name + ".x_prev", before);
        reference.check("step." + name + ".target", targets);
        reference.check("step." + name + ".loss", Dual.mean(losses).value);
        reference.check("step." + name + ".grad_student", Dual.mean(losses).slope);
    }
}
