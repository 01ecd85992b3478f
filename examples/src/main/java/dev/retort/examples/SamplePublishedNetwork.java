package dev.retort.examples;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import dev.retort.io.ImageGrid;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.sample.PlanExecutor;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Lesson 5: a network that somebody else published, under our solvers. All it takes is a function from a noisy batch to the
 * network's output, and two facts about its training: the noise schedule and what the output means. Here it is a small DDPM
 * for MNIST digits by Yichi Zhang (MIT licence), five convolutions and no attention, in the {@code .pth} file as published.
 * Arguments: the file, solver, PNG file.
 */
public final class SamplePublishedNetwork implements AutoCloseable {
    private static final int SIDE = 28;
    private static final int LAST_STEP = 1000;
    private static final double HALF = 0.5; // its images lie in [-0.5, 0.5]
    private static final double LAYER_NORM_EPS = 1e-5;

    private final Map<String, Tensor> weights = new HashMap<>();

    /** Reads the published file. */
    public SamplePublishedNetwork(Path file) {
        try (TensorFile tensors = TensorFiles.open(file);
                Scope scope = Scope.open()) {
            tensors.entries().forEach((name, entry) -> {
                Tensor values = Tensors.of(tensors.floats(name), Device.CPU, entry.shape());
                weights.put(name, scope.keep(values));
            });
        }
    }

    /** How it was trained: betas on a line for i = 0..1000, output = the noise. */
    public static Process process() {
        double[] alphaBar = new double[LAST_STEP + 1];
        double product = 1;
        for (int i = 0; i <= LAST_STEP; i++) {
            product *= 1 - (1e-4 + (0.02 - 1e-4) * i / LAST_STEP);
            alphaBar[i] = product;
        }
        return new Process(DiscreteSchedule.ofAlphaBar("mnist-ddpm", alphaBar), Prediction.EPSILON, Clamp.to(HALF));
    }

    /** A solver's plan with calls at i = 1000, …, 20. */
    public static Plan plan(String solver, int steps) {
        Process process = process();
        double[] times = IntStream.range(0, steps)
                .mapToDouble(k -> LAST_STEP - Math.floorDiv(k * LAST_STEP, steps))
                .toArray();
        return Solvers.named(solver).plan(process, TimeGrid.of("even", process.schedule(), times));
    }

    /** x (N, 1, 28, 28) at step i of the schedule → predicted noise (N, 1, 28, 28). */
    Tensor output(Tensor x, double i) {
        Tensor time = timeVector(i / LAST_STEP); // (1, 16, 1, 1)
        Tensor h = block(x, 0).add(time); // (N, 16, 28, 28)
        for (int b = 1; b <= 3; b++) {
            h = block(h, b); // (N, 32 | 32 | 16, 28, 28)
        }
        return Ops.conv2d(h, weight("blocks.4.weight"), weight("blocks.4.bias"), 1, 1); // (N, 1, 28, 28)
    }

    /** Convolution, normalisation over channels and pixels, GELU. */
    private Tensor block(Tensor x, int index) {
        String name = "blocks." + index + ".net.";
        Tensor h = Ops.conv2d(x, weight(name + "0.weight"), weight(name + "0.bias"), 1, 3); // (N, C, 28, 28)
        Tensor normed = Ops.layerNorm(h.flatten(1, -1), LAYER_NORM_EPS).view_as(h);
        return Ops.gelu(normed.mul(weight(name + "1.weight")).add(weight(name + "1.bias")));
    }

    /** [sin(t f), cos(t f) - 1] through four linear layers. */
    private Tensor timeVector(double t) {
        Tensor angles = Ops.mul(weight("frequencies"), t);
        Tensor h = Ops.cat(0, angles.sin(), Ops.add(angles.cos(), -1)).unsqueeze(0); // (1, 32)
        for (int i = 0; i <= 6; i += 2) {
            h = Ops.linear(h, weight("time_embed." + i + ".weight"), weight("time_embed." + i + ".bias"));
            h = i < 6 ? Ops.gelu(h) : h;
        }
        return h.view(1, 16, 1, 1);
    }

    private Tensor weight(String name) {
        return weights.get("gt." + name);
    }

    /** Draws {@code count} digits; values in [-1, 1], each 28 by 28. */
    public float[] sample(Plan plan, int count) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = PlanExecutor.run(
                    plan,
                    noise(Purpose.SAMPLE_START, 0, count),
                    (step, input) -> output(input, plan.steps().get(step).call().time()),
                    step -> noise(Purpose.SAMPLE_STEP, step, count),
                    (step, x0, next) -> {});
            return Tensors.floats(Ops.mul(x, 1 / HALF));
        }
    }

    private static Tensor noise(Purpose purpose, int step, int count) {
        float[] values = new float[count * SIDE * SIDE];
        for (int i = 0; i < count; i++) {
            Rng.at(0, purpose, step, i).fillGaussian(values, i * SIDE * SIDE, SIDE * SIDE);
        }
        return Tensors.of(values, Device.CPU, count, 1, SIDE, SIDE);
    }

    @Override
    public void close() {
        weights.values().forEach(Tensor::close);
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        try (SamplePublishedNetwork network = new SamplePublishedNetwork(Path.of(args[0]))) {
            float[] digits = network.sample(plan(args[1], 50), 64);
            ImageGrid.of(digits, 64, 1, SIDE, SIDE, 8).write(Path.of(args[2]), 2);
            System.out.println("digits drawn with " + args[1] + " lie in " + args[2]);
        }
    }
}
