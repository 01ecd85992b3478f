package dev.retort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import dev.retort.train.AdamW;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What runs on a GPU computes what the CPU does; skipped where there is none ({@code mvn -Pcuda verify}). */
@Tag("cuda")
@EnabledIf("aGpuIsHere")
class CudaTest {
    private static final OptimizerConfig ADAMW = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.999, 1e-8, 0.01, 1);
    private static final int BATCH = 3;

    @TempDir
    Path temp;

    static boolean aGpuIsHere() {
        return Device.choose("auto").device().isCuda();
    }

    private static Device gpu() {
        return Device.choose("cuda").device();
    }

    private static DitSpec spec(boolean modern) {
        return new DitSpec(8, 12, 3, 2, 48, 3, 4, 4, 5, 0.1, true, modern);
    }

    /** A network with the same values on each device, none of them zero. */
    private static Dit network(Device device, boolean modern) {
        Dit dit = new Dit(spec(modern), Init.of(3, device));
        Random random = new Random(5);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            dit.parameters()
                    .values()
                    .forEach(tensor -> tensor.add_(Ops.mul(gaussian(random, device, Tensors.shape(tensor)), 0.1)));
        }
        return dit;
    }

    private static Tensor gaussian(Random random, Device device, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(values, device, shape);
    }

    private static Tensor input(Device device) {
        return gaussian(new Random(7), device, BATCH, 3, 8, 12);
    }

    private static Tensor time(Device device) {
        return Tensors.of(new float[] {0, 12.5f, 999}, device, BATCH);
    }

    private static Condition label(Device device) {
        return Conditions.classes(Tensors.of(new int[] {4, 1, 4}, device));
    }

    private static double relativeError(float[] actual, float[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < actual.length; i++) {
            error += Math.pow(actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / norm);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_network_gives_what_it_gives_on_the_cpu(boolean modern) {
        float[] expected = forward(Device.CPU, modern, Precision.FP32);
        assertThat(relativeError(forward(gpu(), modern, Precision.FP32), expected))
                .isLessThan(1e-5);
        assertThat(relativeError(forward(gpu(), modern, Precision.BF16), expected))
                .isBetween(1e-5, 2e-2);
    }

    private static float[] forward(Device device, boolean modern, Precision precision) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autocast autocast = Autocast.to(precision, device);
                Dit dit = network(device, modern)) {
            return Tensors.floats(dit.forward(input(device), time(device), label(device), Taps.none()));
        }
    }

    @ParameterizedTest
    @CsvSource({"false,FP32,1e-5", "true,FP32,1e-5", "false,BF16,2e-2", "true,BF16,2e-2"})
    void a_network_prepared_for_sampling_too(boolean modern, Precision precision, double tolerance) {
        float[] expected = forward(Device.CPU, modern, Precision.FP32);
        try (Scope scope = Scope.open();
                Dit dit = network(gpu(), modern);
                Dit prepared = (Dit) Architectures.pack(dit, precision);
                Request request = prepared.open(Moment.at(0, 12.5, 999), label(gpu()))) {
            Tensor out = prepared.forward(input(gpu()), time(gpu()), label(gpu()), Taps.none());
            assertThat(relativeError(Tensors.floats(out), expected)).isLessThan(tolerance);
            Tensor[] rows = new Tensor[3]; // sample k at the time of step k
            for (int k = 0; k < rows.length; k++) {
                rows[k] = request.call(k, input(gpu())).narrow(0, k, 1);
            }
            assertThat(relativeError(Tensors.floats(Ops.cat(0, rows)), expected))
                    .isLessThan(tolerance);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradients_and_a_step_are_those_of_the_cpu(boolean recompute) {
        float[][] expected = step(Device.CPU, recompute);
        float[][] actual = step(gpu(), recompute);
        assertThat(relativeError(actual[0], expected[0])).as("gradients").isLessThan(1e-4);
        assertThat(relativeError(actual[1], expected[1])).as("weights").isLessThan(1e-4);
    }

    /** Gradients, clipped, and the weights after two steps. */
    private static float[][] step(Device device, boolean recompute) {
        try (Scope scope = Scope.open();
                Dit dit = network(device, false);
                AdamW optimizer = new AdamW(dit.parameters(), ADAMW)) {
            dit.recompute(recompute);
            float[] gradients = null;
            for (int i = 0; i < 2; i++) {
                Tensor out = dit.forward(input(device), time(device), label(device), Taps.none());
                out.mul(out).mean().backward();
                optimizer.clip();
                gradients = joint(dit.parameters().values().stream()
                        .map(parameter -> parameter.mutable_grad())
                        .toList());
                optimizer.step(1e-3);
                optimizer.dropGradients();
            }
            return new float[][] {gradients, joint(List.copyOf(dit.parameters().values()))};
        }
    }

    private static float[] joint(List<Tensor> tensors) {
        List<Tensor> flat = new ArrayList<>();
        tensors.forEach(tensor -> flat.add(tensor.detach().flatten()));
        return Tensors.floats(Ops.cat(0, flat.toArray(Tensor[]::new)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void steps_leave_no_tensor_behind(boolean recompute) {
        Device gpu = gpu();
        try (Scope outer = Scope.open();
                Dit dit = new Dit(new DitSpec(32, 32, 4, 2, 384, 6, 6, 4, 10, 0.1, true, false), Init.of(3, gpu))) {
            dit.recompute(recompute);
            Tensor x = gaussian(new Random(1), gpu, BATCH, 4, 32, 32);
            long[] peak = new long[2];
            for (int half = 0; half < 2; half++) {
                for (int i = 0; i < 20; i++) {
                    try (Scope scope = Scope.open();
                            Autocast autocast = Autocast.to(Precision.BF16, gpu)) {
                        Tensor out = dit.forward(x, time(gpu), label(gpu), Taps.none());
                        Dtype.F32.cast(out).square().mean().backward();
                        dit.parameters()
                                .values()
                                .forEach(parameter -> parameter.mutable_grad().reset());
                    }
                }
                peak[half] = gpu.peakBytes();
            }
            assertThat(peak[0]).isPositive();
            assertThat(peak[1]).isLessThanOrEqualTo(peak[0] + (1 << 20));
        }
    }

    @ParameterizedTest
    @CsvSource({"fp32,false", "bf16,true"})
    void a_run_learns_stops_and_goes_on(String precision, boolean recompute) {
        TrainConfig config = config(precision, recompute);
        AtomicInteger polls = new AtomicInteger();
        assertThatThrownBy(() -> train(config, () -> polls.incrementAndGet() == 200))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("the same command resumes");
        train(config, () -> false);
        List<Map<String, Object>> lines = lines(temp.resolve("run/log.jsonl"));
        double first = loss(lines.subList(0, 1));
        double last = loss(lines.subList(lines.size() - 10, lines.size()));
        assertThat(last).isLessThan(0.5 * first);
    }

    private static double loss(List<Map<String, Object>> lines) {
        return lines.stream()
                .mapToDouble(line -> ((Number) line.get("loss/diffusion")).doubleValue())
                .average()
                .orElseThrow();
    }

    private void train(TrainConfig config, BooleanSupplier interrupted) {
        Training.run(config, temp.resolve("run"), Map.of(), note -> {}, (d, t, s) -> {}, interrupted);
    }

    private static TrainConfig config(String precision, boolean recompute) {
        return new TrainConfig(
                3200,
                new DitConfig("2x32x2/4", 4, 0.1, false),
                new Objective.Flow(0, 1, 1),
                new RunConfig(
                        7,
                        8,
                        new DataConfig.Shapes("train", 16, true),
                        new OptimizerConfig(3e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.01, 1),
                        new EmaConfig(List.of(0.99, 0.9)),
                        new ComputeConfig("cuda", precision, recompute, 0, 0, 1),
                        new LogConfig(16, 800, 1, 800),
                        SamplingSpec.of("flow-euler", 2, 1)));
    }

    @Test
    void memory_that_ran_out_is_told_as_such_and_given_back() {
        long tooMuch = 1L << 40;
        try (Scope scope = Scope.open()) {
            assertThatThrownBy(() -> Tensors.zeros(gpu(), tooMuch))
                    .satisfies(e -> assertThat(TorchError.isOutOfMemory(e)).isTrue());
            assertThat(Tensors.floats(Tensors.full(2, gpu(), 3))).containsExactly(2, 2, 2);
        }
    }

    @Test
    void a_gpu_that_is_not_here_is_refused_with_those_that_are() {
        assertThatThrownBy(() -> Device.choose("cuda:99")).hasMessageContaining("choose cuda:0");
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
