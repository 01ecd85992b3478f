package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.TrigFlow;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The reference numbers of noise schedules, conversions, time lists and time samplers. */
class SchedulesCaseTest {
    private static final Map<String, NoiseSchedule> SCHEDULES =
            Map.of("edm", new KarrasSchedule(), "rf", new FlowLinear(), "trig", new TrigFlow(1));
    /** What the reference calls flow: the derivative of the state by time. */
    private static final Map<String, Prediction> FLOWS =
            Map.of("edm", Prediction.EPSILON, "rf", Prediction.FLOW, "trig", Prediction.V);

    private final StepCase reference = StepCase.of("fastgen-schedules");

    @Test
    void every_output_agrees() {
        SCHEDULES.forEach(this::coefficients);
        for (String schedule : SCHEDULES.keySet()) {
            for (String from : new String[] {"x0", "eps", "flow"}) {
                for (String to : new String[] {"x0", "eps", "flow"}) {
                    conversion(schedule, from, to);
                }
            }
        }
        lists();
        samplers();
        assertThat(reference.open()).isEmpty();
    }

    private void coefficients(String name, NoiseSchedule schedule) {
        perTime(name, "alpha", schedule::alpha);
        perTime(name, "sigma", schedule::sigma);
        perTime(name, "alpha_prime", t -> MixtureTeacher.slopes(schedule, t)[0]);
        perTime(name, "sigma_prime", t -> MixtureTeacher.slopes(schedule, t)[1]);
        perTime(name, "sqrt_snr", t -> Math.sqrt(schedule.snr(t)));
        perTime(name, "sqrt_snr_roundtrip", t -> schedule.timeOfRatio(1 / Math.sqrt(schedule.snr(t))));
        reference.check(name + ".x_t", pairs(name, schedule::alpha, schedule::sigma));
        reference.check(
                name + ".velocity",
                pairs(name, t -> MixtureTeacher.slopes(schedule, t)[0], t -> MixtureTeacher.slopes(schedule, t)[1]));
    }

    private void perTime(String name, String output, ToDoubleFunction<Double> of) {
        double[] values = reference.get(name + ".t");
        for (int i = 0; i < values.length; i++) {
            values[i] = of.applyAsDouble(values[i]);
        }
        reference.check(name + "." + output, values);
    }

    private double[][] pairs(String name, ToDoubleFunction<Double> ofX0, ToDoubleFunction<Double> ofEps) {
        double[] times = reference.get(name + ".t");
        double[][] x0 = reference.rows("x0");
        double[][] eps = reference.rows("eps");
        for (int b = 0; b < times.length; b++) {
            for (int i = 0; i < x0[b].length; i++) {
                x0[b][i] = ofX0.applyAsDouble(times[b]) * x0[b][i] + ofEps.applyAsDouble(times[b]) * eps[b][i];
            }
        }
        return x0;
    }

    private void conversion(String name, String from, String to) {
        if (from.equals(to)) {
            return;
        }
        NoiseSchedule schedule = SCHEDULES.get(name);
        Prediction given = prediction(name, from);
        Prediction wanted = prediction(name, to);
        double[] times = reference.get(name + ".t");
        double[][] x = reference.rows(name + ".x_t");
        double[][] output = reference.rows(from);
        for (int b = 0; b < times.length; b++) {
            TimeGrid.Point at = schedule.point(times[b]);
            for (int i = 0; i < x[b].length; i++) {
                x[b][i] = wanted.fromState(given, at.alpha(), at.sigma()) * x[b][i]
                        + wanted.fromOutput(given, at.alpha(), at.sigma()) * (0.9 * output[b][i] + 0.1);
            }
        }
        reference.check(name + "." + from + "_to_" + to, x);
    }

    private static Prediction prediction(String schedule, String name) {
        return switch (name) {
            case "x0" -> Prediction.X0;
            case "eps" -> Prediction.EPSILON;
            default -> FLOWS.get(schedule);
        };
    }

    private void lists() {
        TimeSampler grid = new TimeSampler.Polynomial(0.002, 80, 7);
        // Four of the 1000 levels of that grid, without the two at either end.
        double[] edm = {998 / 999., 749 / 999., 500 / 999., 251 / 999., 0};
        for (int i = 0; i < 4; i++) {
            edm[i] = grid.quantile(SCHEDULES.get("edm"), edm[i]);
        }
        reference.check("edm.t_list4", edm);
        reference.check("trig.t_list4", sigmas(TimeGrid.uniform(SCHEDULES.get("trig"), 4), 1));
        reference.check("rf.t_list4", sigmas(TimeGrid.uniform(SCHEDULES.get("rf"), 4), 0.999));
    }

    private static double[] sigmas(TimeGrid grid, double scale) {
        return grid.points().stream().mapToDouble(p -> scale * p.time()).toArray();
    }

    private void samplers() {
        TimeSampler normal = new TimeSampler.LogNormal(-0.8, 1.6);
        sampler("edm.sample.lognormal", "draw", new TimeSampler.Truncated(normal, 0.002, 80));
        sampler("edm.sample.uniform", "draw", new TimeSampler.Truncated(TimeSampler.UNIFORM, 0.5, 40));
        sampler("edm.sample.log_t", "cdf", new TimeSampler.LogStudent(-0.8, 1.6, 2));
        sampler("rf.sample.uniform", "draw", new TimeSampler.Truncated(TimeSampler.UNIFORM, 0.02, 0.98));
        sampler("trig.sample.uniform", "draw", new TimeSampler.Truncated(TimeSampler.UNIFORM, 0, 1.5));
        sampler(
                "rf.sample.shifted",
                "draw",
                new TimeSampler.Truncated(
                        new TimeSampler.Shifted(5), TimeGrid.shifted(0.001, 5), TimeGrid.shifted(0.999, 5)));
        stretched("rf.sample.logitnormal", new TimeSampler.LogitNormal(-0.4, 1), 0.001, 0.999);
        stretched("trig.sample.logitnormal", new TimeSampler.LogitNormal(0.1, 0.7), 0.01, 1.5);
    }

    private void sampler(String name, String draw, TimeSampler sampler) {
        NoiseSchedule schedule = SCHEDULES.get(name.substring(0, name.indexOf('.')));
        double[] times = reference.get(name + "." + draw);
        for (int i = 0; i < times.length; i++) {
            times[i] = sampler.quantile(schedule, times[i]);
        }
        reference.check(name + ".t", times);
    }

    /** The reference lays a logit-normal over an interval and is given the normal number; ours lies over the schedule. */
    private void stretched(String name, TimeSampler sampler, double from, double to) {
        double[] times = reference.get(name + ".draw");
        for (int i = 0; i < times.length; i++) {
            double share = new TimeSampler.LogNormal(0, 1).share(SCHEDULES.get("edm"), Math.exp(times[i]));
            times[i] = from + (to - from) * sampler.quantile(SCHEDULES.get("rf"), share);
        }
        reference.check(name + ".t", times);
    }
}
