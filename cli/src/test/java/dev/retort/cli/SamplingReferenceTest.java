package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every reference trajectory of the schedulers, asked for by the words of a command line. */
class SamplingReferenceTest {
    @TestFactory
    Stream<DynamicTest> every_trajectory_of_the_reference_can_be_asked_for() {
        Path folder = Shared.path("reference/schedulers");
        JsonNode about = json(folder.resolve("case.json"));
        double[][] noise = rows(folder.resolve("common.safetensors"), "noise");
        double[] init = flat(rows(folder.resolve("common.safetensors"), "init"));
        List<JsonNode> rows =
                stream(json(folder.resolve("trajectories.json")).get("rows")).toList();
        assertThat(rows).hasSize(272);
        return rows.stream()
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    String file = row.get("file").asString();
                    String id = row.get("id").asString();
                    JsonNode group = about.get("config")
                            .get("groups")
                            .get(row.get("group").asString());
                    check(
                            SchedulerLines.of(group),
                            row,
                            init,
                            noise,
                            rows(folder.resolve(file), id),
                            about.get("tensors").get(file).get(id));
                }));
    }

    /** Three elements of those of seven steps, for checkouts without the reference beside them. */
    @TestFactory
    Stream<DynamicTest> so_can_those_that_lie_with_the_sources() {
        JsonNode golden = json(Path.of("../diffusion/src/test/resources/golden/schedulers.json"));
        return stream(golden.get("rows"))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    JsonNode group = golden.get("groups").get(row.get("group").asString());
                    check(
                            SchedulerLines.of(group),
                            row,
                            numbers(golden.get("init")),
                            stream(golden.get("noise"))
                                    .map(SamplingReferenceTest::numbers)
                                    .toArray(double[][]::new),
                            stream(row.get("states"))
                                    .map(SamplingReferenceTest::numbers)
                                    .toArray(double[][]::new),
                            row);
                }));
    }

    private static void check(
            SchedulerLines lines,
            JsonNode row,
            double[] init,
            double[][] noise,
            double[][] wanted,
            JsonNode tolerance) {
        String prediction = row.get("prediction_type").asString();
        JsonNode spacing = row.get("timestep_spacing");
        ProcessSpec process = lines.process(prediction);
        SamplingOptions options = new SamplingOptions();
        List<String> words = lines.words(
                spacing.isNull() ? null : spacing.asString(), row.get("N").asInt());
        new CommandLine(options(options)).parseArgs(words.toArray(new String[0]));
        SamplingSpec asked = options.of(card(process), "the reference");
        Plan plan = SamplingPlan.of(new Process(lines.schedule(prediction), process.prediction()), asked, true);
        assertTimes(plan.times(), row.get("timesteps"), lines.karras());
        List<double[]> got = ArrayExecutor.trajectory(plan, init, SamplingReferenceTest::model, draws(row, noise));
        assertThat(got).as(words.toString()).hasSize(wanted.length);
        double rel = tolerance.get("rel").asDouble();
        for (int k = 0; k < wanted.length; k++) {
            double abs = tolerance.get("abs_by_row").get(k).asDouble();
            for (int i = 0; i < wanted[k].length; i++) {
                double allowed = abs + rel * Math.abs(wanted[k][i]);
                // An assertion for every one of half a million elements would take longer than everything else.
                if (!(Math.abs(got.get(k)[i] - wanted[k][i]) <= allowed)) {
                    assertThat(got.get(k)[i])
                            .as("%s: state %d element %d", words, k, i)
                            .isCloseTo(wanted[k][i], within(allowed));
                }
            }
        }
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

    private static void assertTimes(double[] got, JsonNode wanted, boolean karras) {
        assertThat(got).hasSize(wanted.size());
        for (int i = 0; i < got.length; i++) {
            double time = wanted.get(i).asDouble();
            boolean whole = time == Math.rint(time) && got[i] == Math.rint(got[i]);
            assertThat(got[i])
                    .as("time %d", i)
                    .isCloseTo(time, within(whole && !karras ? 0 : karras && whole ? 1 : 0.02));
        }
    }

    private static double[][] rows(Path file, String name) {
        try (TensorFile opened = TensorFiles.open(file)) {
            float[] all = opened.floats(name);
            int n = (int) opened.entry(name).shape()[0];
            double[][] rows = new double[n][all.length / n];
            for (int i = 0; i < all.length; i++) {
                rows[i / rows[0].length][i % rows[0].length] = all[i];
            }
            return rows;
        }
    }

    private static double[] flat(double[][] rows) {
        return Stream.of(rows).flatMapToDouble(Arrays::stream).toArray();
    }

    private static double[] numbers(JsonNode array) {
        return stream(array).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    private static JsonNode json(Path file) {
        return JsonMapper.shared().readTree(file.toFile());
    }
}
