package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.ReferenceTensors;
import dev.retort.diffusion.ReferenceTrajectories;
import dev.retort.diffusion.SchedulerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Every scheduler of the reference, read from the file that its library writes of it. */
class SchedulerReferenceTest {
    /** What their callers ask of a step, which no file holds. */
    private static final Set<String> ASKED_BY_CALLERS =
            Set.of("ddim-clip-recomputed", "ddim-eta0.5", "euler-churn", "tcd-eta0", "tcd-eta1");

    /** Whose times its caller computes from the size of the picture: refused, which another test shows. */
    private static final String NOT_BUILT = "flow-dynamic";

    @TempDir
    private Path pipeline;

    @TestFactory
    Stream<DynamicTest> the_file_of_every_scheduler_of_the_reference_draws_its_trajectory() {
        JsonNode golden = ReferenceTensors.json(Path.of("../diffusion/src/test/resources/golden/schedulers.json"));
        double[] init = ReferenceTrajectories.numbers(golden.get("init"));
        double[][] noise = ReferenceTrajectories.rows(golden.get("noise"));
        return ReferenceTrajectories.stream(golden.get("rows"))
                .filter(row -> !row.get("group").asString().equals(NOT_BUILT))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    SchedulerSettings settings = SchedulerSettings.of(
                            golden.get("groups").get(row.get("group").asString()));
                    PipelineScheduler scheduler = read(settings, row);
                    assertThat(scheduler.notes()).isEmpty();
                    Plan plan = plan(scheduler, row.get("N").asInt());
                    ReferenceTrajectories.assertTimes(plan.times(), row.get("timesteps"), settings.karras());
                    if (!ASKED_BY_CALLERS.contains(row.get("group").asString())) {
                        ReferenceTrajectories.assertStates(
                                plan, init, noise, row, ReferenceTrajectories.rows(row.get("states")), row);
                    }
                }));
    }

    private PipelineScheduler read(SchedulerSettings settings, JsonNode row) throws IOException {
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.setAll((ObjectNode) settings.defaults());
        config.setAll((ObjectNode) settings.base());
        config.put("_class_name", settings.kind());
        for (String swept : new String[] {"prediction_type", "timestep_spacing"}) {
            if (!settings.isFlow() && !row.get(swept).isNull()) {
                config.set(swept, row.get(swept));
            }
        }
        Path file = pipeline.resolve("scheduler/scheduler_config.json");
        Files.createDirectories(file.getParent());
        Files.writeString(file, config.toString());
        return PipelineScheduler.of(pipeline, LibraryConfig.none(file)).orElseThrow();
    }

    /** On the table in floats, as the reference computes it. */
    private static Plan plan(PipelineScheduler scheduler, int steps) {
        Process read = scheduler.process().process();
        NoiseSchedule schedule =
                read.schedule() instanceof DiscreteSchedule table ? table.inSinglePrecision() : read.schedule();
        SamplingSpec sampling = scheduler.sampling().withSteps(steps);
        return SamplingPlan.of(new Process(schedule, read.prediction(), read.clamp()), sampling, true);
    }
}
