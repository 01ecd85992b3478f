package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.card.DitSpec;
import dev.retort.card.GuidanceRange;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.distill.AdversarialStep;
import dev.retort.distill.CachedLoss;
import dev.retort.distill.ContinuousConsistency;
import dev.retort.distill.Distillation;
import dev.retort.distill.DistributionMatching;
import dev.retort.distill.GameLoss;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.MapLoss;
import dev.retort.distill.ParallelDecoding;
import dev.retort.distill.QuantizeConfig;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StepLoss;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.sample.Sampler;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
import dev.retort.torch.Kernels;
import dev.retort.torch.Machine;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory and native objects after hundreds of steps are what they were after the first hundred. */
class FlatMemoryTest {
    private static final int STEPS = 320;
    private static final int SMALL_BATCH = 2;
    private static final String QUANTIZED = "quantized";
    private static final int METHODS = 16;

    @TempDir
    static Path temp;

    private static Child training;
    private static Child methods;

    /** Each measures itself alone, so they run beside each other. */
    @BeforeAll
    static void the_measured_processes() throws Exception {
        methods = started("methods");
        training = started("training");
    }

    private static Child started(String what) throws Exception {
        return Child.start(
                FlatMemoryTest.class,
                List.of(),
                Map.of("OMP_NUM_THREADS", "1"),
                Files.createDirectory(temp.resolve(what)).toString(),
                what);
    }

    @Test
    void hundreds_of_training_steps_and_samples_leave_memory_flat() throws Exception {
        flat(training, 7);
    }

    @Test
    void hundreds_of_steps_of_every_distillation_method_leave_memory_flat() throws Exception {
        flat(methods, METHODS);
    }

    private static void flat(Child child, int runs) throws Exception {
        List<String> measured =
                child.finish().stream().filter(line -> line.startsWith("flat ")).toList();
        assertThat(measured).hasSize(runs);
        for (String line : measured) {
            // flat NAME pointersBefore pointersAfter residentBefore residentAfter
            String[] part = line.split(" ");
            assertThat(Long.parseLong(part[3])).as(line).isLessThanOrEqualTo(Long.parseLong(part[2]) + 5);
            assertThat(Long.parseLong(part[5]))
                    .as(line)
                    .isLessThanOrEqualTo(Long.parseLong(part[4]) * 101 / 100 + (1 << 20));
        }
    }

    @AfterAll
    static void both_are_gone() throws Exception {
        training.close();
        methods.close();
    }

    /** The measured process: a JVM with a heap of fixed size, so that what grows is native. */
    public static void main(String[] arguments) throws Exception {
        Path temp = Path.of(arguments[0]);
        if (arguments[1].equals("methods")) {
            methods(temp);
        } else {
            training(temp);
        }
    }

    private static void training(Path temp) throws Exception {
        train("fp32", temp, "fp32", false, 3);
        train("recomputing", temp, "fp32", true, 8);
        train("bf16", temp, "bf16", false, 8);
        for (String solver : List.of("ddpm", "unipc", "dpmpp-2m")) {
            try (Dit dit = network()) {
                sample(solver, solver, dit);
            }
        }
        Natives.threads(2);
        Kernels.use(Kernels.parse("linear=shared,attention=shared,elementwise=fused"), "a test");
        try (Dit dit = network();
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32)) {
            sample("lanes", "unipc", packed);
        }
    }

    private static void methods(Path temp) {
        OptimizerConfig own = optimizer("constant");
        TrainConfig taught = new TrainConfig(
                16, new DitConfig("1x16x1/8", 4, 0.1, false), new Objective.Flow(0, 1, 1), small("flow-euler"));
        Path teacher =
                Training.run(taught, temp.resolve("teacher"), Map.of(), note -> {}, (d, t, text) -> {}, () -> false);
        String kept = temp.resolve("kept").toString();
        new TrajectoryRecording(teacher, "teacher", SamplingSpec.of("flow-euler", 2, 1), 0, 16, 16, 8, Device.CPU)
                .run(Path.of(kept), Map.of(), note -> {}, (d, t, text) -> {}, () -> false);
        Map<String, LossConfig> methods = new LinkedHashMap<>();
        methods.put(
                "progressive",
                new StepLoss.Progressive(
                        LossWeight.ONE, 2, 2, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR));
        methods.put(
                "consistency",
                new StepLoss.Consistency(
                        LossWeight.ONE,
                        true,
                        0.9,
                        -0.4,
                        1.6,
                        0.2,
                        4,
                        16,
                        2,
                        0,
                        0.03,
                        false,
                        ConsistencyWeight.INVERSE_GAP));
        methods.put("continuous-consistency", new ContinuousConsistency(LossWeight.ONE, true, -1, 1.4, 0.5, 0.1, 0));
        methods.put("endpoint", new CachedLoss.Endpoint(LossWeight.ONE, kept, 0.5, 0.03));
        methods.put("trajectory", new CachedLoss.Trajectory(LossWeight.ONE, 2, kept));
        methods.put("reflow", new CachedLoss.Reflow(LossWeight.ONE, kept));
        methods.put("score-identity", matching(DistributionMatching.Method.SID, FDivergence.REVERSE_KL, own));
        methods.put("trained-eyes", adversarial(GameLoss.Backbone.TRAINED, own));
        methods.put("critic-of-pairs", steps(true, own));
        methods.put("critic-of-ends", steps(false, own));
        methods.put("flow-map", new MapLoss.FlowMap(LossWeight.ONE, false, 0.5, 0.2, 0.005, 0.03));
        methods.put("mean-flow", new MapLoss.MeanFlow(LossWeight.ONE, 0.5, -0.4, 1, 0, 1, 1e-3));
        methods.put("parallel-decoding", new ParallelDecoding(LossWeight.ONE, 8, List.of(2), true));
        methods.put("guidance-input", new LossConfig.Output(LossWeight.ONE, Prediction.FLOW));
        methods.put(QUANTIZED, new LossConfig.Output(LossWeight.ONE, Prediction.FLOW));
        methods.forEach((name, loss) -> distil(temp, teacher, name, loss));
        distil(
                temp,
                teacher,
                "density-and-frozen-eyes",
                matching(DistributionMatching.Method.DMD, FDivergence.JEFFREYS, own),
                adversarial(GameLoss.Backbone.FROZEN, own));
    }

    private static LossConfig matching(
            DistributionMatching.Method method, FDivergence divergence, OptimizerConfig own) {
        return new DistributionMatching(LossWeight.ONE, 2, 2, method, divergence, 1.2, 0.05, 0.7, own);
    }

    private static LossConfig adversarial(GameLoss.Backbone eyes, OptimizerConfig own) {
        return new GameLoss.Adversarial(LossWeight.ONE, 2, 1, 8, eyes, 1e-3, 0.05, 0.7, own);
    }

    private static LossConfig steps(boolean conditional, OptimizerConfig own) {
        return new AdversarialStep(
                LossWeight.ONE, 2, 2, new SolverSpec.Ddim(), conditional, 1, 8, 0.3, 0.01, 0.75, own);
    }

    private static void distil(Path temp, Path teacher, String name, LossConfig... losses) {
        Optional<GuidanceRange> told =
                name.equals("guidance-input") ? Optional.of(new GuidanceRange(1, 3)) : Optional.empty();
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1, told),
                new DitConfig("1x16x1/8", 4, 0.1, false),
                new StudentStart.Cut(),
                new Objective.Flow(0, 1, 1),
                List.of(new StageConfig(
                        "all",
                        300L * SMALL_BATCH,
                        List.of(losses),
                        "",
                        Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        name.equals(QUANTIZED) ? Optional.of(new QuantizeConfig(7)) : Optional.empty())),
                small(
                        losses[0] instanceof MapLoss
                                ? "flow-map"
                                : losses[0] instanceof ParallelDecoding ? "parallel-euler" : "flow-euler"));
        Growth growth = new Growth();
        Distillation.run(
                recipe, temp.resolve(name), Map.of(), note -> {}, (done, total, text) -> growth.step(), () -> false);
        growth.print(name);
    }

    private static RunConfig small(String solver) {
        return new RunConfig(
                7,
                SMALL_BATCH,
                new DataConfig.Shapes("train", 16, true),
                optimizer("cosine"),
                new EmaConfig(List.of(0.99)),
                new ComputeConfig("cpu", "fp32", false, SMALL_BATCH, 0, 1),
                new LogConfig(50 * SMALL_BATCH, 0, 1, 150 * SMALL_BATCH),
                SamplingSpec.of(solver, 2, 1));
    }

    private static OptimizerConfig optimizer(String schedule) {
        return new OptimizerConfig(1e-4, schedule, 0, 0.9, 0.99, 1e-8, 0.01, 1);
    }

    private static void train(String name, Path temp, String precision, boolean recompute, int microBatch)
            throws Exception {
        TrainConfig config = new TrainConfig(
                8L * STEPS,
                new DitConfig("2x32x2/4", 4, 0.1, false),
                new Objective.Ddpm(ProcessSpec.ddpm(), true, 5),
                new RunConfig(
                        7,
                        8,
                        new DataConfig.Shapes("train", 16, true),
                        new OptimizerConfig(1e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.01, 1),
                        new EmaConfig(List.of(0.99, 0.9)),
                        new ComputeConfig("cpu", precision, recompute, microBatch, 0, 1),
                        new LogConfig(16, 320, 1, 320),
                        SamplingSpec.of("ddim", 2, 2)));
        Growth growth = new Growth();
        Training.run(
                config, temp.resolve(name), Map.of(), note -> {}, (done, total, text) -> growth.step(), () -> false);
        growth.print(name);
    }

    private static void sample(String name, String solver, Network network) {
        Growth growth = new Growth();
        Plan plan = SamplingPlan.of(ProcessSpec.ddpm().process(), SamplingSpec.of(solver, 4, 1), false);
        Sampler sampler = new Sampler(
                network,
                new LabelConditioner(network.spec().condition()),
                plan,
                SamplingSpec.of(solver, 4, 3).guidance(999),
                Precision.FP32);
        for (int i = 0; i < STEPS; i++) {
            try (Scope scope = Scope.open()) {
                sampler.sample(new Prompts.Labels(new int[] {1, 2}), 3, new long[] {2L * i, 2L * i + 1});
            }
            growth.step();
        }
        growth.print(name);
    }

    private static Dit network() {
        DitSpec spec = new DitSpec(8, 8, 3, 4, 32, 1, 2, 4, 4, 0.1, true, false);
        try (Scope scope = Scope.open()) {
            Dit dit = new Dit(spec, Init.of(1, Device.CPU));
            dit.freeze();
            return dit;
        }
    }

    /** Medians over 50 steps after the first hundred and over the last 50. */
    private static final class Growth {
        private final List<Long> pointers = new ArrayList<>();
        private final List<Long> resident = new ArrayList<>();

        void step() {
            pointers.add(Pointer.totalCount());
            resident.add(Machine.residentBytes());
        }

        void print(String name) {
            int end = pointers.size();
            System.out.println("flat " + name + " " + median(pointers, 100) + " " + median(pointers, end - 50) + " "
                    + median(resident, 100) + " " + median(resident, end - 50));
        }

        private static long median(List<Long> values, int from) {
            List<Long> window = new ArrayList<>(values.subList(from, from + 50));
            Collections.sort(window);
            return window.get(25);
        }
    }
}
