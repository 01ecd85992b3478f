package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Plan;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.sample.Sampler;
import dev.retort.torch.Device;
import dev.retort.torch.Kernels;
import dev.retort.torch.Machine;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory and native objects after hundreds of steps are what they were after the first hundred. */
class FlatMemoryTest {
    private static final int STEPS = 320;

    @TempDir
    Path temp;

    @Test
    void hundreds_of_training_steps_and_samples_leave_memory_flat() throws Exception {
        try (Child child = Child.start(
                FlatMemoryTest.class,
                List.of("-XX:TieredStopAtLevel=1"),
                Map.of("OMP_NUM_THREADS", "1"),
                temp.toString())) {
            List<String> measured = child.finish().stream()
                    .filter(line -> line.startsWith("flat "))
                    .toList();
            assertThat(measured).hasSize(7);
            for (String line : measured) {
                // flat NAME pointersBefore pointersAfter residentBefore residentAfter
                String[] part = line.split(" ");
                assertThat(Long.parseLong(part[3])).as(line).isLessThanOrEqualTo(Long.parseLong(part[2]) + 5);
                assertThat(Long.parseLong(part[5]))
                        .as(line)
                        .isLessThanOrEqualTo(Long.parseLong(part[4]) * 101 / 100 + (1 << 20));
            }
        }
    }

    /** The measured process: a JVM with a heap of fixed size, so that what grows is native. */
    public static void main(String[] arguments) throws Exception {
        Path temp = Path.of(arguments[0]);
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
