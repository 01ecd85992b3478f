package dev.retort.bench;

import dev.retort.card.NetworkSpec;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.pipeline.Architecture;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * One network evaluation of sampling and the Euler step after it: the peer's {@code sample_step}, on the network as our
 * sampler prepares it. What a request computes once for all its steps is not part of a step.
 */
final class SamplingStep implements Step {
    /** Small enough for values to stay finite through any network. */
    private static final double STD = 0.02;

    private final long parameters;
    private final Denoiser network;
    private final Request request;
    private final Inputs inputs;

    SamplingStep(NetworkSpec spec, int batch, boolean bf16, Device device) {
        inputs = Inputs.of(spec, batch, device);
        Architecture<NetworkSpec> architecture = Architectures.of(spec);
        Map<String, long[]> shapes = architecture.parameters(spec);
        parameters = spec.parameters();
        network = architecture.pack(
                spec,
                (name, type) -> Inputs.gaussian(device, STD, shapes.get(name)),
                device,
                bf16 ? Precision.BF16 : Precision.FP32);
        request = network.open(Moment.at(Inputs.TIME), inputs.condition());
    }

    @Override
    public double run() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor out = request.call(0, inputs.x());
            Tensor velocity = out.narrow(1, 0, inputs.x().size(1));
            inputs.x().add(velocity);
            return velocity.abs().mean().item_double();
        }
    }

    @Override
    public long parameters() {
        return parameters;
    }

    @Override
    public void close() {
        request.close();
        network.close();
        inputs.close();
    }
}
