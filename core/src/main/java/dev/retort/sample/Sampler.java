package dev.retort.sample;

import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.model.Network;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws images from a network. Each sample has its own address (seed, index), so it does not depend on the batch it is
 * drawn in.
 *
 * @param network the network, on its device
 * @param plan solver, time grid and process
 * @param guidance classifier-free guidance
 * @param precision arithmetic of the network
 */
public record Sampler(Network network, Plan plan, Guidance guidance, Precision precision) {
    /**
     * Draws samples.
     *
     * @param labels class of each sample
     * @param seed seed of all samples
     * @param indices index of each sample under the seed
     * @return (N, C, H, W) in data units, fp32, owned by the caller's scope
     */
    public Tensor draw(int[] labels, long seed, long[] indices) {
        Device device = network.device();
        int n = labels.length;
        Tensor label = Tensors.of(labels, device);
        int[] none = new int[n];
        if (network.spec().hasNullClass()) {
            Arrays.fill(none, network.spec().nullClass());
        }
        Tensor both = Ops.cat(0, label, Tensors.of(none, device));
        network.prepare(
                plan.steps().stream().mapToDouble(step -> step.call().time()).toArray(), both);
        return PlanExecutor.run(
                plan,
                noise(Purpose.SAMPLE_START, 0, seed, indices),
                (input, call) -> output(input, call, label, both),
                step -> noise(Purpose.SAMPLE_STEP, step, seed, indices),
                (step, x0, next) -> {});
    }

    private Tensor output(Tensor input, Plan.Call call, Tensor label, Tensor both) {
        Device device = network.device();
        long n = input.size(0);
        try (Autocast autocast = Autocast.to(precision, device)) {
            if (!guidance.actsAt(call.time())) {
                return network.forward(input, Tensors.full(call.time(), device, n), label, Taps.none());
            }
            Tensor out = network.forward(
                    Ops.cat(0, input, input), Tensors.full(call.time(), device, 2 * n), both, Taps.none());
            return guided(out, guidance, call.time(), input.size(1));
        }
    }

    /**
     * u + g(c - u) on the guided channels, the conditional output on the others.
     *
     * @param both conditional outputs, then unconditional ones (2N, C', H, W)
     * @param predicted how many leading channels are the prediction; those behind carry variance and are never guided
     */
    static Tensor guided(Tensor both, Guidance guidance, double time, long predicted) {
        Tensor[] half = Ops.chunk(both, 2, 0);
        int channels = guidance.guidedChannels(Math.toIntExact(predicted));
        Tensor c = half[0].narrow(1, 0, channels);
        Tensor u = half[1].narrow(1, 0, channels);
        Tensor g = Ops.addScaled(u, c.sub(u), guidance.standardScaleAt(time));
        long all = both.size(1);
        return channels == all ? g : Ops.cat(1, g, half[0].narrow(1, channels, all - channels));
    }

    private Tensor noise(Purpose purpose, long step, long seed, long[] indices) {
        int size = network.spec().channels()
                * network.spec().height()
                * network.spec().width();
        float[] values = new float[indices.length * size];
        for (int i = 0; i < indices.length; i++) {
            Rng.at(seed, purpose, step, indices[i]).fillGaussian(values, i * size, size);
        }
        return Tensors.of(
                values,
                network.device(),
                indices.length,
                network.spec().channels(),
                network.spec().height(),
                network.spec().width());
    }
}
