package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** How the trajectories of the reference case "schedulers" were made, and the comparison of ours with them. */
public final class ReferenceTrajectories {
    private ReferenceTrajectories() {}

    /** Runs the plan on the network and the noise of the reference and compares all states. */
    public static void assertStates(
            Plan plan, double[] init, double[][] noise, JsonNode row, double[][] wanted, JsonNode tolerance) {
        List<double[]> got = ArrayExecutor.trajectory(plan, init, ReferenceTrajectories::model, draws(row, noise));
        assertThat(got).hasSize(wanted.length);
        double rel = tolerance.get("rel").asDouble();
        for (int k = 0; k < wanted.length; k++) {
            double abs = tolerance.get("abs_by_row").get(k).asDouble();
            for (int i = 0; i < wanted[k].length; i++) {
                double allowed = abs + rel * Math.abs(wanted[k][i]);
                // An assertion for every one of half a million elements would take longer than everything else.
                if (!(Math.abs(got.get(k)[i] - wanted[k][i]) <= allowed)) {
                    assertThat(got.get(k)[i]).as("state %d element %d", k, i).isCloseTo(wanted[k][i], within(allowed));
                }
            }
        }
    }

    /** 0.3 sin(1.7 x + 0.001 t) + 0.1 x, and variance channels 0.5 sin(0.9 x + 0.002 t). */
    private static double[] model(double[] x, Plan.Call call) {
        double[] out = new double[2 * x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = 0.3 * Math.sin(1.7 * x[i] + 0.001 * call.time()) + 0.1 * x[i];
            out[x.length + i] = 0.5 * Math.sin(0.9 * x[i] + 0.002 * call.time());
        }
        return out;
    }

    private static IntFunction<double[]> draws(JsonNode row, double[][] noise) {
        Map<Integer, double[]> byStep = new HashMap<>();
        for (JsonNode step : row.get("noise_drawn_at_step")) {
            byStep.put(step.asInt(), noise[byStep.size()]);
        }
        return step -> {
            assertThat(byStep).as("noise drawn at step").containsKey(step);
            return byStep.get(step);
        };
    }

    /** Compares the times of the calls; those that the rule of Karras et al. lays out may be rounded otherwise. */
    public static void assertTimes(double[] got, JsonNode wanted, boolean karras) {
        assertThat(got).hasSize(wanted.size());
        for (int i = 0; i < got.length; i++) {
            double time = wanted.get(i).asDouble();
            boolean whole = time == Math.rint(time) && got[i] == Math.rint(got[i]);
            assertThat(got[i])
                    .as("time %d", i)
                    .isCloseTo(time, within(whole && !karras ? 0 : karras && whole ? 1 : 0.02));
        }
    }

    /** The elements of an array. */
    public static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    /** An array of numbers. */
    public static double[] numbers(JsonNode array) {
        return stream(array).mapToDouble(JsonNode::asDouble).toArray();
    }

    /** An array of such. */
    public static double[][] rows(JsonNode array) {
        return stream(array).map(ReferenceTrajectories::numbers).toArray(double[][]::new);
    }
}
