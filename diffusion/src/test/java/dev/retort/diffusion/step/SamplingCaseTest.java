package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.FlowEuler;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.FlowMap;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.Lcm;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.Tcd;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The reference numbers of few-step loops. */
class SamplingCaseTest {
    private final StepCase reference = StepCase.of("fastgen-sampling");
    private final double[] p = reference.rows("params")[0];
    private final double[] cond = reference.get("cond");
    private final double[][] fresh = reference.rows("fresh_noise");

    @Test
    void every_output_agrees() {
        sample("edm.x0.sde", new KarrasSchedule(), Prediction.X0, new Lcm());
        sample("edm.x0.ode", new KarrasSchedule(), Prediction.X0, new Ddim());
        sample("rf.x0.sde", new FlowLinear(), Prediction.X0, new Lcm());
        sample("rf.x0.ode", new FlowLinear(), Prediction.X0, new FlowEuler());
        sample("rf.meanflow.sde", new FlowLinear(), Prediction.FLOW, new FlowMap(true));
        sample("rf.meanflow.ode", new FlowLinear(), Prediction.FLOW, new FlowMap());
        assertThat(reference.open()).isEmpty();
        // the sampler between the two ends at both
        sample("edm.x0.sde", new KarrasSchedule(), Prediction.X0, new Tcd(1));
        sample("edm.x0.ode", new KarrasSchedule(), Prediction.X0, new Tcd(0));
        sample("rf.x0.sde", new FlowLinear(), Prediction.X0, new Tcd(1));
        sample("rf.x0.ode", new FlowLinear(), Prediction.X0, new Tcd(0));
    }

    private void sample(String name, NoiseSchedule schedule, Prediction prediction, Solver solver) {
        boolean flow = schedule instanceof FlowLinear;
        double[] times = reference.get((flow ? "rf" : "edm") + ".t_list");
        TimeGrid grid = TimeGrid.of("given", schedule, Arrays.copyOf(times, times.length - 1));
        Plan plan = solver.plan(new Process(schedule, prediction), grid);
        double[][] start = reference.rows("noise");
        double[][] samples = new double[start.length][];
        for (int b = 0; b < start.length; b++) {
            // The reference starts a flow at 0.999 with noise of that size, the plan with unit noise.
            for (int i = 0; flow && i < start[b].length; i++) {
                start[b][i] *= times[0];
            }
            int size = start[b].length;
            int from = b * size;
            double condition = cond[b];
            samples[b] = ArrayExecutor.run(
                    plan,
                    start[b],
                    (input, call) -> network(prediction, input, call, flow, condition),
                    k -> Arrays.copyOfRange(fresh[k], from, from + size),
                    (k, x0, next) -> {});
        }
        reference.check(name + ".sample", samples);
    }

    private double[] network(Prediction prediction, double[] input, Plan.Call call, boolean flow, double condition) {
        if (prediction == Prediction.X0) {
            assertThat(call.until()).isNaN();
            return ClosedForms.x0(p, input, call.time(), flow, condition);
        }
        double[] output = new double[input.length];
        for (int i = 0; i < input.length; i++) {
            output[i] = ClosedForms.velocity(
                            Dual.constants(p), Dual.of(input[i]), Dual.of(call.time()), call.until(), condition)
                    .value;
        }
        return output;
    }
}
