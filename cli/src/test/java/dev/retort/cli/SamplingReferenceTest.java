package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Shared;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.ReferenceTensors;
import dev.retort.diffusion.ReferenceTrajectories;
import dev.retort.diffusion.SchedulerSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/** Every reference trajectory of the schedulers, asked for by the words of a command line. */
class SamplingReferenceTest {
    @TestFactory
    Stream<DynamicTest> every_trajectory_of_the_reference_can_be_asked_for() {
        Path folder = Shared.path("reference/schedulers");
        JsonNode about = ReferenceTensors.json(folder.resolve("case.json"));
        ReferenceTensors common = new ReferenceTensors(folder.resolve("common.safetensors"));
        double[][] noise = common.rows("noise");
        double[] init = common.get("init");
        Map<String, ReferenceTensors> files = new HashMap<>();
        List<JsonNode> rows = ReferenceTrajectories.stream(ReferenceTensors.json(folder.resolve("trajectories.json"))
                        .get("rows"))
                .toList();
        assertThat(rows).hasSize(272);
        return rows.stream()
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    String file = row.get("file").asString();
                    String id = row.get("id").asString();
                    check(
                            about.get("config").get("groups"),
                            row,
                            init,
                            noise,
                            files.computeIfAbsent(file, f -> new ReferenceTensors(folder.resolve(f)))
                                    .rows(id),
                            about.get("tensors").get(file).get(id));
                }));
    }

    /** Three elements of those of seven steps, for checkouts without the reference beside them. */
    @TestFactory
    Stream<DynamicTest> so_can_those_that_lie_with_the_sources() {
        JsonNode golden = ReferenceTensors.json(Path.of("../diffusion/src/test/resources/golden/schedulers.json"));
        double[] init = ReferenceTrajectories.numbers(golden.get("init"));
        double[][] noise = ReferenceTrajectories.rows(golden.get("noise"));
        return ReferenceTrajectories.stream(golden.get("rows"))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    double[][] wanted = ReferenceTrajectories.rows(row.get("states"));
                    check(golden.get("groups"), row, init, noise, wanted, row);
                }));
    }

    private static void check(
            JsonNode groups, JsonNode row, double[] init, double[][] noise, double[][] wanted, JsonNode tolerance) {
        SchedulerSettings settings =
                SchedulerSettings.of(groups.get(row.get("group").asString()));
        SchedulerLines lines = new SchedulerLines(settings);
        String prediction = row.get("prediction_type").asString();
        JsonNode spacing = row.get("timestep_spacing");
        ProcessSpec process = lines.process(prediction);
        SamplingOptions options = new SamplingOptions();
        List<String> words = lines.words(
                spacing.isNull() ? null : spacing.asString(), row.get("N").asInt());
        new CommandLine(options(options)).parseArgs(words.toArray(new String[0]));
        SamplingSpec asked = options.of(card(process), "the reference");
        Plan plan = SamplingPlan.of(new Process(lines.schedule(prediction), process.prediction()), asked, true);
        ReferenceTrajectories.assertTimes(plan.times(), row.get("timesteps"), settings.karras());
        ReferenceTrajectories.assertStates(plan, init, noise, row, wanted, tolerance);
    }

    /** The options alone, as a command has them. */
    private static CommandLine.Model.CommandSpec options(SamplingOptions options) {
        return CommandLine.Model.CommandSpec.forAnnotatedObject(options);
    }

    private static ModelCard card(ProcessSpec process) {
        DitSpec network = new DitSpec(8, 8, 4, 2, 16, 1, 2, 4, 3, 0.1, true, false);
        SamplingSpec usual =
                SamplingSpec.of(process.schedule() instanceof ScheduleSpec.Flow ? "flow-heun" : "ddim", 10, 1);
        return ModelCard.of(network, process, usual, List.of("a", "b", "c"), "", 0, 0, "", Map.of());
    }
}
