package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** All trajectories and time lists of the reference case "schedulers". */
class SchedulersReferenceTest {
    private final Map<String, ReferenceTensors> files = new HashMap<>();

    @TestFactory
    Stream<DynamicTest> every_trajectory_agrees_state_by_state() {
        Path folder = Shared.path("reference/schedulers");
        JsonNode about = ReferenceTensors.json(folder.resolve("case.json"));
        JsonNode groups = about.get("config").get("groups");
        ReferenceTensors common = new ReferenceTensors(folder.resolve("common.safetensors"));
        double[] init = common.get("init");
        double[][] noise = common.rows("noise");
        return stream(ReferenceTensors.json(folder.resolve("trajectories.json")).get("rows"))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    SchedulerSettings settings =
                            SchedulerSettings.of(groups.get(row.get("group").asString()));
                    int n = row.get("N").asInt();
                    Plan plan = plan(settings, row, n);
                    assertTimes(plan.times(), row.get("timesteps"), settings);
                    String file = row.get("file").asString();
                    String id = row.get("id").asString();
                    double[][] wanted = files.computeIfAbsent(file, f -> new ReferenceTensors(folder.resolve(f)))
                            .rows(id);
                    List<double[]> got =
                            ArrayExecutor.trajectory(plan, init, SchedulersReferenceTest::model, draws(row, noise));
                    assertStates(got, wanted, about.get("tensors").get(file).get(id));
                }));
    }

    static Plan plan(SchedulerSettings settings, JsonNode row, int n) {
        JsonNode spacing = row.get("timestep_spacing");
        TimeGrid grid = settings.grid(spacing.isNull() ? null : spacing.asString(), n);
        return settings.solver(n)
                .plan(settings.process(row.get("prediction_type").asString()), grid);
    }

    /** 0.3 sin(1.7 x + 0.001 t) + 0.1 x, and variance channels 0.5 sin(0.9 x + 0.002 t). */
    static double[] model(double[] x, Plan.Call call) {
        double[] out = new double[2 * x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = 0.3 * Math.sin(1.7 * x[i] + 0.001 * call.time()) + 0.1 * x[i];
            out[x.length + i] = 0.5 * Math.sin(0.9 * x[i] + 0.002 * call.time());
        }
        return out;
    }

    static IntFunction<double[]> draws(JsonNode row, double[][] noise) {
        Map<Integer, double[]> byStep = new HashMap<>();
        for (JsonNode step : row.get("noise_drawn_at_step")) {
            byStep.put(step.asInt(), noise[byStep.size()]);
        }
        return step -> {
            assertThat(byStep).as("noise drawn at step").containsKey(step);
            return byStep.get(step);
        };
    }

    static void assertStates(List<double[]> got, double[][] wanted, JsonNode tolerance) {
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

    @TestFactory
    Stream<DynamicTest> every_time_list_agrees() {
        Path folder = Shared.path("reference/schedulers");
        JsonNode groups =
                ReferenceTensors.json(folder.resolve("case.json")).get("config").get("groups");
        return stream(ReferenceTensors.json(folder.resolve("timesteps.json")).get("rows"))
                .map(row -> DynamicTest.dynamicTest(
                        row.get("group").asString() + "/" + row.get("timestep_spacing") + "/" + row.get("N"), () -> {
                            SchedulerSettings settings = SchedulerSettings.of(
                                    groups.get(row.get("group").asString()));
                            int n = row.get("N").asInt();
                            JsonNode spacing = row.get("timestep_spacing");
                            TimeGrid grid =
                                    settings.grid(spacing == null || spacing.isNull() ? null : spacing.asString(), n);
                            Plan plan = settings.solver(n)
                                    .plan(settings.process(settings.isFlow() ? "velocity" : "v_prediction"), grid);
                            assertTimes(plan.times(), row.get("timesteps"), settings);
                            if (row.has("sigmas")) {
                                assertSigmas(plan, grid, row.get("sigmas"), settings);
                            }
                        }));
    }

    static void assertTimes(double[] got, JsonNode wanted, SchedulerSettings settings) {
        assertThat(got).hasSize(wanted.size());
        boolean karras = settings.base().has("use_karras_sigmas");
        for (int i = 0; i < got.length; i++) {
            double time = wanted.get(i).asDouble();
            boolean whole = time == Math.rint(time) && got[i] == Math.rint(got[i]);
            assertThat(got[i])
                    .as("time %d", i)
                    .isCloseTo(time, within(whole && !karras ? 0 : karras && whole ? 1 : 0.02));
        }
    }

    private static void assertSigmas(Plan plan, TimeGrid grid, JsonNode wanted, SchedulerSettings settings) {
        for (int i = 0; i < plan.steps().size(); i++) {
            Plan.Call call = plan.steps().get(i).call();
            double sigma = settings.isFlow() ? call.sigma() : call.sigma() / call.alpha();
            double want = wanted.get(i).asDouble();
            assertThat(sigma).as("sigma %d", i).isCloseTo(want, within(1e-5 + 1e-4 * want));
        }
        double end = wanted.get(wanted.size() - 1).asDouble();
        assertThat(grid.to(grid.steps() - 1).noiseRatio()).as("last sigma").isCloseTo(end, within(1e-5 + 1e-4 * end));
    }

    static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
