package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Plain;
import dev.retort.card.ClampSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import dev.retort.model.NetworkGraph;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.ScriptModule;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The method {@code sample} of an archive against {@link Sampler}, from the same noise. */
class TorchScriptSampleTest {
    static final DitSpec PLAIN = new DitSpec(8, 8, 3, 2, 48, 2, 3, 4, 10, 0.1, false, false);
    static final DitSpec VARIANCE = new DitSpec(8, 8, 3, 2, 48, 2, 3, 4, 10, 0.1, true, true);
    private static final ProcessSpec DDPM = ProcessSpec.ddpm();
    /**
     * Predicts what a clamp cuts: from predicted noise it is computed by a division by the signal factor, which makes rounding errors
     * 150 times larger at the first step.
     */
    private static final ProcessSpec IMAGE = ProcessSpec.of("linear", Prediction.X0, 0);

    private static final ProcessSpec FLOW = ProcessSpec.flow();
    private static final int SIZE = 3 * 64;
    static final long SEED = 5;
    static final int[] LABELS = {7, 0, 3};

    @TempDir
    Path folder;

    static Stream<Arguments> ways() {
        return Stream.of(
                way(PLAIN, DDPM, "ddim", 4, 1),
                way(PLAIN, DDPM, "ddim:eta=0.7", 4, 3),
                way(VARIANCE, DDPM, "ddpm", 6, 2),
                Arguments.of(VARIANCE, DDPM, SamplingSpec.of("ddpm", 4, 2).withGuidance(2, 0, 1, 2)),
                Arguments.of(PLAIN, DDPM, SamplingSpec.of("dpmpp-2m", 6, 3).withGuidance(3, 0.3, 0.7, 0)),
                way(PLAIN, DDPM, "dpmpp-3m", 6, 2),
                way(PLAIN, DDPM, "dpmpp-2m-sde", 5, 1),
                way(PLAIN, DDPM, "unipc", 6, 2),
                Arguments.of(PLAIN, IMAGE, SamplingSpec.of("unipc", 6, 2).with(new ClampSpec.Range(0.8))),
                Arguments.of(PLAIN, IMAGE, SamplingSpec.of("ddim", 6, 2).with(new ClampSpec.Range(0.8))),
                Arguments.of(PLAIN, IMAGE, SamplingSpec.of("ddim", 5, 2).with(new ClampSpec.Dynamic(0.9, 3))),
                way(PLAIN, DDPM, "pndm", 6, 1),
                way(PLAIN, DDPM, "euler", 4, 1),
                way(PLAIN, DDPM, "euler-ancestral", 4, 1.5),
                way(PLAIN, DDPM, "heun", 4, 1),
                way(PLAIN, DDPM, "lcm", 3, 1),
                way(PLAIN, FLOW, "flow-euler", 1, 1),
                way(PLAIN, FLOW, "flow-heun", 4, 1.5),
                way(PLAIN.with(new ScalarInputs(true, 0)), FLOW, "flow-euler", 4, 3),
                way(PLAIN.with(new ScalarInputs(false, 1000)), FLOW, "flow-map", 2, 1),
                way(PLAIN.withOutputs(4), FLOW, "parallel-euler", 2, 2));
    }

    private static Arguments way(DitSpec spec, ProcessSpec process, String solver, int steps, double guidance) {
        return Arguments.of(spec, process, SamplingSpec.of(solver, steps, guidance));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void sampling_in_an_archive_draws_what_the_sampler_draws(DitSpec spec, ProcessSpec process, SamplingSpec way) {
        Path file = folder.resolve("network.pt");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = network(spec)) {
            Sampler sampler = sampler(dit, process, way);
            double[] expected = Plain.values(sampler.sample(new Prompts.Labels(LABELS), SEED, new long[] {0, 1, 2}));
            write(file, dit, sampler);
            List<Object> arguments = new ArrayList<>();
            arguments.add(noise(Purpose.SAMPLE_START, 0));
            arguments.add(Tensors.of(LABELS, Device.CPU));
            if (sampler.plan().addsNoise()) {
                arguments.add(noises(sampler.plan()));
            }
            try (ScriptModule module = ScriptModule.load(file)) {
                for (int time = 0; time < 3; time++) { // the second and third time libtorch runs what it optimised
                    double[] found = Plain.values(module.call("sample", arguments.toArray())[0]);
                    assertThat(Plain.error(found, expected)).isLessThan(1e-5);
                }
            }
        }
    }

    static Dit network(DitSpec spec) {
        Dit dit = new Dit(spec, Init.of(1, Device.CPU));
        Init init = Init.of(77, Device.CPU);
        try (NoGrad off = NoGrad.on()) {
            dit.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.1, Tensors.shape(p))));
        }
        return dit;
    }

    static Sampler sampler(Dit dit, ProcessSpec process, SamplingSpec way) {
        List<String> classes = Stream.iterate(0, i -> i + 1)
                .limit(dit.spec().classes())
                .map(i -> "class " + i)
                .toList();
        ModelCard card = ModelCard.of(dit.spec(), process, way, classes, "noise", 0, 1, "", Map.of());
        return Sampling.sampler(dit, card, way, Precision.FP32);
    }

    static void write(Path file, Dit dit, Sampler sampler) {
        TorchScriptFile.write(
                file,
                NetworkGraph.of(dit, List.of()),
                dit.state(),
                Optional.of(TorchScriptPlan.of(sampler)),
                Map.of("retort.json", "{}"));
    }

    static Tensor noise(Purpose purpose, int step) {
        float[] values = new float[LABELS.length * SIZE];
        for (int i = 0; i < LABELS.length; i++) {
            Rng.at(SEED, purpose, step, i).fillGaussian(values, i * SIZE, SIZE);
        }
        return Tensors.of(values, Device.CPU, LABELS.length, 3, 8, 8);
    }

    /** Of each step that adds any. */
    static List<Tensor> noises(Plan plan) {
        List<Tensor> noises = new ArrayList<>();
        for (int step = 0; step < plan.steps().size(); step++) {
            if (!plan.steps().get(step).noise().equals(NoiseScale.NONE)) {
                noises.add(noise(Purpose.SAMPLE_STEP, step));
            }
        }
        return noises;
    }

    @Test
    void an_input_that_no_plan_gives_is_named() {
        try (Scope scope = Scope.open();
                Dit dit = network(PLAIN)) {
            Graph graph = NetworkGraph.of(dit, List.of());
            List<Value> inputs = new ArrayList<>(graph.inputs());
            inputs.add(new Value("text", inputs.get(1).type(), inputs.get(1).shape()));
            Graph told = new Graph(inputs, graph.weights(), graph.constants(), graph.nodes(), graph.outputs());
            TorchScriptPlan plan = TorchScriptPlan.of(sampler(dit, FLOW, SamplingSpec.of("flow-euler", 2, 1)));
            Path file = folder.resolve("no.pt");
            assertThatThrownBy(() -> TorchScriptFile.write(file, told, dit.state(), Optional.of(plan), Map.of()))
                    .hasMessage(
                            "the graph has an input text, which no plan gives; expected x, time, label, guidance and"
                                    + " end_time");
            assertThat(folder).isEmptyDirectory();
        }
    }
}
