package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
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
        return ReferenceTrajectories.stream(ReferenceTensors.json(folder.resolve("trajectories.json"))
                        .get("rows"))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    SchedulerSettings settings =
                            SchedulerSettings.of(groups.get(row.get("group").asString()));
                    int n = row.get("N").asInt();
                    Plan plan = plan(settings, row, n);
                    ReferenceTrajectories.assertTimes(plan.times(), row.get("timesteps"), settings.karras());
                    String file = row.get("file").asString();
                    String id = row.get("id").asString();
                    double[][] wanted = files.computeIfAbsent(file, f -> new ReferenceTensors(folder.resolve(f)))
                            .rows(id);
                    ReferenceTrajectories.assertStates(
                            plan,
                            init,
                            noise,
                            row,
                            wanted,
                            about.get("tensors").get(file).get(id));
                }));
    }

    static Plan plan(SchedulerSettings settings, JsonNode row, int n) {
        JsonNode spacing = row.get("timestep_spacing");
        TimeGrid grid = settings.grid(spacing.isNull() ? null : spacing.asString(), n);
        return settings.solver(n)
                .plan(settings.process(row.get("prediction_type").asString()), grid);
    }

    @TestFactory
    Stream<DynamicTest> every_time_list_agrees() {
        Path folder = Shared.path("reference/schedulers");
        JsonNode groups =
                ReferenceTensors.json(folder.resolve("case.json")).get("config").get("groups");
        return ReferenceTrajectories.stream(
                        ReferenceTensors.json(folder.resolve("timesteps.json")).get("rows"))
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
                            ReferenceTrajectories.assertTimes(plan.times(), row.get("timesteps"), settings.karras());
                            if (row.has("sigmas")) {
                                assertSigmas(plan, grid, row.get("sigmas"), settings);
                            }
                        }));
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
}
