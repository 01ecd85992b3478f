package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The reference numbers of MeanFlow: plain, guided, from a teacher, by a finite difference, in two forms of the loss. */
class MeanFlowCaseTest {
    private final StepCase reference = StepCase.of("fastgen-meanflow");
    private final double[][] p = reference.rows("params");
    private final double[][] clean = reference.rows("x0");
    private final double[][] noise = reference.rows("z");
    private final double[] cond = reference.get("cond");
    private final double[] t = reference.get("t");
    private final double[] r = reference.get("r");

    @Test
    void every_output_agrees() {
        for (String name : new String[] {
            "plain.l2.poly",
            "plain.l2.poly_half",
            "plain.opt_grad",
            "guided.l2",
            "guided_mix.l2",
            "teacher.l2",
            "plain.fd"
        }) {
            loss(name, reference.config(name));
        }
        assertThat(reference.open()).isEmpty();
    }

    private void loss(String name, JsonNode config) {
        int size = clean[0].length;
        double[][] velocities = new double[t.length][size];
        double[][] derivatives = new double[t.length][size];
        double[][] tangents = new double[t.length][size];
        double[] weights = new double[t.length];
        double[] monitor = new double[t.length];
        Dual[] losses = new Dual[t.length];
        Dual[] student = Dual.variables(Arrays.copyOf(p[0], 6));
        boolean byTangent = config.get("loss_type").asString().equals("opt_grad");
        double power = Double.parseDouble(config.get("norm_method").asString().substring("poly_".length()));
        double constant = config.get("norm_const").asDouble();
        double warmUp = Tangents.warmUp(
                config.get("iteration").asLong(),
                config.get("tangent_warmup_steps").asLong());
        for (int b = 0; b < t.length; b++) {
            MeanVelocityTarget target = MeanVelocityTarget.between(t[b], r[b], warmUp);
            Dual[] outputs = new Dual[size];
            double square = 0;
            for (int i = 0; i < size; i++) {
                double x = (1 - t[b]) * clean[b][i] + t[b] * noise[b][i];
                double v = velocity(config, b, i, x);
                velocities[b][i] = v;
                derivatives[b][i] = derivative(config, b, x, v);
                outputs[i] = ClosedForms.velocity(student, Dual.of(x), Dual.of(t[b]), r[b], cond[b]);
                double wanted = target.fromVelocity() * v + target.fromDerivative() * derivatives[b][i];
                tangents[b][i] = byTangent ? (wanted - outputs[i].value) / Math.sqrt(size) : wanted;
                double error = byTangent ? tangents[b][i] : wanted - outputs[i].value;
                square += error * error;
                double plain = outputs[i].value - (noise[b][i] - clean[b][i]);
                monitor[b] += plain * plain / size;
            }
            weights[b] = Tangents.adaptiveWeight(byTangent ? Math.sqrt(square) : square, constant, power);
            Dual[] errors = new Dual[size];
            for (int i = 0; i < size; i++) {
                errors[i] = byTangent
                        ? outputs[i]
                                .plus(-outputs[i].value - tangents[b][i] * weights[b])
                                .squared()
                        : outputs[i].plus(-tangents[b][i]).squared().times(weights[b]);
            }
            losses[b] = Dual.sum(errors);
        }
        reference.check(name + ".velocity", velocities);
        reference.check(name + ".jvp", derivatives);
        reference.check(name + ".tangent", tangents);
        reference.check(name + ".weight", weights);
        reference.check(name + ".loss", Dual.values(losses));
        reference.check(name + ".v_loss", monitor);
        reference.check(name + ".grad_student", Dual.mean(losses).slope);
    }

    private double velocity(JsonNode config, int b, int i, double x) {
        double pair = noise[b][i] - clean[b][i];
        if (config.get("guidance_scale").isNull()) {
            return pair;
        }
        boolean inside = t[b] <= config.get("guidance_t_end").asDouble();
        double scale = inside ? config.get("guidance_scale").asDouble() : 1;
        if (config.get("use_cd").asBoolean()) {
            double with = instant(p[1], b, x, cond[b]);
            double without = instant(p[1], b, x, 0);
            return without + scale * (with - without);
        }
        JsonNode mixture = config.get("guidance_mixture_ratio");
        MeanVelocityTarget.Guided guided =
                MeanVelocityTarget.Guided.of(scale, inside && !mixture.isNull() ? mixture.asDouble() : 0);
        return guided.fromPair() * pair
                + guided.fromUnconditional() * instant(p[0], b, x, 0)
                + guided.fromConditional() * instant(p[0], b, x, cond[b]);
    }

    private double instant(double[] params, int b, double x, double condition) {
        return ClosedForms.velocity(Dual.constants(params), Dual.of(x), Dual.of(t[b]), t[b], condition).value;
    }

    private double derivative(JsonNode config, int b, double x, double v) {
        Dual[] fixed = Dual.constants(p[0]);
        if (!config.get("use_jvp_finite_diff").asBoolean()) {
            return ClosedForms.velocity(fixed, Dual.of(x, v), Dual.of(t[b], 1), r[b], cond[b]).slope[0];
        }
        TimeDifference by = TimeDifference.at(t[b], 1e-4, r[b], 0.999);
        Dual ahead =
                ClosedForms.velocity(fixed, Dual.of(x + by.ahead() * v), Dual.of(t[b] + by.ahead()), r[b], cond[b]);
        Dual behind =
                ClosedForms.velocity(fixed, Dual.of(x - by.behind() * v), Dual.of(t[b] - by.behind()), r[b], cond[b]);
        return by.factor() * (ahead.value - behind.value);
    }
}
