package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TrigFlow;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The reference numbers of continuous-time consistency models. */
class ScmCaseTest {
    private static final double DATA = 0.5;
    private static final TrigFlow ARC = new TrigFlow(DATA);

    private final StepCase reference = StepCase.of("fastgen-scm");
    private final double[][] p = reference.rows("params");
    private final double[][] clean = reference.rows("x0");
    private final double[][] unit = reference.rows("z_unit");
    private final double[] cond = reference.get("cond");

    @Test
    void every_output_agrees() {
        for (String schedule : new String[] {"edm", "rf"}) {
            for (String check :
                    new String[] {"ct.jvp.it10000", "ct.jvp.it2500", "cd.jvp.it5000", "cd.fd.it10000", "ct.fd.it10000"
                    }) {
                loss(schedule.equals("rf"), schedule + "." + check);
            }
        }
        assertThat(reference.open()).isEmpty();
    }

    /** F by the network's own schedule, at parameters that may be variables. */
    private static Dual f(Dual[] params, boolean flow, double x, double angle, double cond) {
        NoiseSchedule schedule = flow ? new FlowLinear() : new KarrasSchedule();
        ChangeOfProcess change = ChangeOfProcess.of(schedule, Prediction.X0, ARC.point(angle), Prediction.V);
        Dual x0 = ClosedForms.x0(
                params, Dual.of(change.inputScale() * x), change.point().time(), flow, cond);
        return x0.times(change.fromOutput()).plus(change.fromState() * x);
    }

    /** F along a direction of (x, angle), written out so that it can be derived. */
    private static Dual f(double[] params, boolean flow, Dual x, Dual angle, double cond) {
        Dual ratio = angle.tan().times(DATA);
        Dual t = flow ? ratio.over(ratio.plus(1)) : ratio;
        Dual alpha = flow ? t.times(-1).plus(1) : Dual.of(1);
        Dual scale = alpha.squared().plus(t.times(1 / DATA).squared()).sqrt();
        Dual x0 = ClosedForms.x0(Dual.constants(params), x.times(scale), t, alpha, t, cond);
        return angle.cos().times(x).minus(x0).over(angle.sin().times(DATA));
    }

    private void loss(boolean flow, String name) {
        JsonNode config = reference.config(name);
        double[] times = reference.get((flow ? "rf" : "edm") + ".t");
        NoiseSchedule schedule = flow ? new FlowLinear() : new KarrasSchedule();
        int size = clean[0].length;
        double[] angles = new double[times.length];
        double[][] states = new double[times.length][size];
        double[][] velocities = new double[times.length][size];
        double[][] outputs = new double[times.length][size];
        double[][] derivatives = new double[times.length][size];
        Dual[] unweighted = new Dual[times.length];
        Dual[] losses = new Dual[times.length];
        Dual[] student = Dual.variables(p[0]);
        double warmUp = Tangents.warmUp(
                config.get("iteration").asLong(),
                config.get("tangent_warmup_steps").asLong());
        for (int b = 0; b < times.length; b++) {
            angles[b] = ARC.timeOfRatio(schedule.noiseRatio(times[b]));
            TrigTangent tangent = TrigTangent.at(angles[b], DATA, warmUp);
            double[] g = new double[size];
            double square = 0;
            for (int i = 0; i < size; i++) {
                double x = path(b, i, angles[b]);
                double v = velocity(flow, config, b, i, angles[b]);
                states[b][i] = x;
                velocities[b][i] = v;
                outputs[b][i] = f(Dual.constants(p[0]), flow, x, angles[b], cond[b]).value;
                derivatives[b][i] = config.get("use_jvp_finite_diff").asBoolean()
                        ? difference(flow, b, i, angles[b], tangent.alongTime())
                        : f(
                                        p[0],
                                        flow,
                                        Dual.of(x, tangent.alongState() * DATA * v),
                                        Dual.of(angles[b], tangent.alongTime()),
                                        cond[b])
                                .slope[0];
                g[i] = tangent.fromOutput() * outputs[b][i]
                        + tangent.fromVelocity() * v
                        + tangent.fromState() * x
                        + tangent.fromDerivative() * derivatives[b][i];
                square += g[i] * g[i];
            }
            long elements = config.get("g_norm_spatial_invariance").asBoolean() ? size : 1;
            double factor = Tangents.normalised(
                    Math.sqrt(square),
                    elements,
                    config.get("tangent_warmup_const").asDouble());
            Dual[] errors = new Dual[size];
            for (int i = 0; i < size; i++) {
                errors[i] = f(student, flow, states[b][i], angles[b], cond[b])
                        .plus(-outputs[b][i] - factor * g[i])
                        .squared();
            }
            unweighted[b] = Dual.mean(errors);
            double prior = config.get("prior_weighting_enabled").asBoolean() ? 1 / schedule.sigma(times[b]) : 1;
            double weight = prior / (config.get("divide_x_0_spatial_dim").asBoolean() ? size : 1);
            losses[b] = uncertain(unweighted[b].times(weight), student[6].times(times[b] / (1 + times[b])));
        }
        reference.check(name + ".t_hat", angles);
        reference.check(name + ".x_t_hat", states);
        reference.check(name + ".dxt_dt", velocities);
        reference.check(name + ".F", outputs);
        reference.check(name + ".F_jvp", derivatives);
        reference.check(name + ".unweighted", Dual.values(unweighted));
        reference.check(name + ".loss", Dual.values(losses));
        reference.check(name + ".grad_student", Arrays.copyOf(Dual.mean(losses).slope, 7));
    }

    private static Dual uncertain(Dual weighted, Dual logVariance) {
        double scale = Math.exp(-logVariance.value);
        Dual loss = weighted.times(logVariance.map(scale, -scale)).plus(logVariance);
        assertThat(TrigTangent.uncertain(weighted.value, logVariance.value)).isEqualTo(loss.value);
        return loss;
    }

    private double path(int b, int i, double angle) {
        return ARC.alpha(angle) * clean[b][i] + ARC.sigma(angle) * unit[b][i];
    }

    private double velocity(boolean flow, JsonNode config, int b, int i, double angle) {
        if (!config.get("distillation").asBoolean()) {
            return Math.cos(angle) * DATA * unit[b][i] - Math.sin(angle) * clean[b][i];
        }
        double x = path(b, i, angle);
        double with = f(Dual.constants(p[1]), flow, x, angle, cond[b]).value;
        double without = f(Dual.constants(p[1]), flow, x, angle, 0).value;
        double scale = config.get("guidance_scale").asDouble();
        return DATA * (without + scale * (with - without));
    }

    /** The reference goes along the way of the pair, also where the teacher's velocity is another. */
    private double difference(boolean flow, int b, int i, double angle, double scale) {
        double h = 1e-4 * angle;
        double ahead = f(Dual.constants(p[0]), flow, path(b, i, angle + h), angle + h, cond[b]).value;
        double behind = f(Dual.constants(p[0]), flow, path(b, i, angle - h), angle - h, cond[b]).value;
        return scale * new TimeDifference(h, h).factor() * (ahead - behind);
    }
}
