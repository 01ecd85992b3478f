package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The reference numbers of consistency tuning and distillation, on EDM and flow, under every weight. */
class ConsistencyCaseTest {
    private static final Map<String, ConsistencyWeight> WEIGHTS = Map.of(
            "default", ConsistencyWeight.INVERSE_GAP,
            "c_out", ConsistencyWeight.INVERSE_OUT,
            "sigma_sq", ConsistencyWeight.INVERSE_VARIANCE,
            "sqrt", ConsistencyWeight.INVERSE_ROOT_GAP,
            "one", ConsistencyWeight.ONE);

    private final StepCase reference = StepCase.of("fastgen-consistency");
    private final double[][] p = reference.rows("params");
    private final double[][] clean = reference.rows("x0");
    private final double[][] noise = reference.rows("eps");
    private final double[] cond = reference.get("cond");

    @Test
    void every_output_agrees() {
        for (String schedule : new String[] {"edm", "rf"}) {
            for (String ratio : new String[] {"0.0", "0.75", "0.99"}) {
                EarlierTime map = new EarlierTime(Double.parseDouble(ratio), 1e-6);
                double[] r = reference.get(schedule + ".t");
                for (int i = 0; i < r.length; i++) {
                    r[i] = map.before(r[i]);
                }
                reference.check(schedule + ".r.ratio" + ratio, r);
            }
            for (String weight : WEIGHTS.keySet()) {
                loss(schedule, "ct", weight);
                loss(schedule, "cd", weight);
            }
        }
        assertThat(reference.open()).isEmpty();
    }

    private void loss(String schedule, String kind, String weight) {
        boolean flow = schedule.equals("rf");
        String name = schedule + "." + kind + "." + weight;
        JsonNode config = reference.config(name);
        double[] times = reference.get(schedule + ".t");
        EarlierTime earlier = new EarlierTime(
                config.get("ratio").asDouble(), config.get("min_r").asDouble());
        PseudoHuber distance = new PseudoHuber(config.get("huber_const").asDouble());
        NoiseSchedule noised = flow ? new FlowLinear() : new KarrasSchedule();
        Dual[] student = Dual.variables(Arrays.copyOf(p[0], 6));
        Dual[] unweighted = new Dual[times.length];
        Dual[] weighted = new Dual[times.length];
        double[][] said = new double[times.length][];
        for (int b = 0; b < times.length; b++) {
            TimeGrid.Point t = noised.point(times[b]);
            TimeGrid.Point r = noised.point(earlier.before(times[b]));
            double[] x = noised(b, t);
            double[] before = kind.equals("ct") ? noised(b, r) : step(b, x, t, r, flow);
            double[] target = ClosedForms.x0(p[0], before, r.time(), flow, cond[b]);
            Dual[] squares = new Dual[x.length];
            said[b] = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                Dual output = ClosedForms.x0(student, Dual.of(x[i]), t.time(), flow, cond[b]);
                said[b][i] = output.value;
                squares[i] = output.plus(-target[i]).squared();
            }
            Dual square = Dual.sum(squares);
            unweighted[b] = config.get("use_squared_l2").asBoolean()
                    ? square
                    : square.map(distance.of(square.value), distance.slope(square.value));
            weighted[b] = unweighted[b].times(WEIGHTS.get(weight).at(t, r));
        }
        reference.check(name + ".unweighted", Dual.values(unweighted));
        reference.check(name + ".loss", Dual.values(weighted));
        reference.check(name + ".grad_student", Dual.mean(weighted).slope);
        if (weight.equals("default")) {
            reference.check(name + ".D_t", said);
        }
    }

    private double[] noised(int b, TimeGrid.Point at) {
        double[] x = new double[clean[b].length];
        for (int i = 0; i < x.length; i++) {
            x[i] = at.alpha() * clean[b][i] + at.sigma() * noise[b][i];
        }
        return x;
    }

    private double[] step(int b, double[] x, TimeGrid.Point t, TimeGrid.Point r, boolean flow) {
        double scale = Guidance.standard(1.8).standardScaleAt(t.time());
        double[] with = ClosedForms.x0(p[1], x, t.time(), flow, cond[b]);
        double[] without = ClosedForms.x0(p[1], x, t.time(), flow, 0);
        FirstOrderStep step = FirstOrderStep.between(t, r);
        double[] next = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double x0 = without[i] + scale * (with[i] - without[i]);
            next[i] = step.fromState() * x[i] + step.fromX0() * x0;
        }
        return next;
    }
}
