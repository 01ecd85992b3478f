package dev.retort.bench;

import dev.retort.model.dit.Dit;
import dev.retort.model.dit.DitSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/** One network evaluation of sampling and the Euler step after it: the peer's {@code sample_step}. */
final class SamplingStep implements Step {
    private final Dit network;
    private final Inputs inputs;
    private final Precision precision;

    SamplingStep(DitSpec spec, int batch, boolean bf16) {
        network = new Dit(spec, Init.of(1, Device.CPU));
        network.freeze();
        inputs = Inputs.of(spec, batch);
        precision = bf16 ? Precision.BF16 : Precision.FP32;
    }

    @Override
    public double run() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autocast autocast = Autocast.to(precision, Device.CPU)) {
            Tensor out = network.forward(inputs.x(), inputs.time(), inputs.label(), Taps.none());
            Tensor velocity = out.narrow(1, 0, inputs.x().size(1));
            inputs.x().add(velocity);
            return velocity.abs().mean().item_double();
        }
    }

    @Override
    public long parameters() {
        return network.parameterCount();
    }

    @Override
    public void close() {
        network.close();
        inputs.close();
    }
}
