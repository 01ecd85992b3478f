package dev.retort.bench;

import dev.retort.card.NetworkSpec;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.train.AdamW;
import dev.retort.train.Ema;
import dev.retort.train.OptimizerConfig;
import org.bytedeco.pytorch.Tensor;

/** Forward, squared error, backward, AdamW, EMA: the peer's {@code train_step} on our network and our optimiser. */
final class TrainingStep implements Step {
    private static final OptimizerConfig ADAMW = new OptimizerConfig(1e-4, "constant", 0, 0.9, 0.999, 1e-8, 0.01, 0);

    private final Device device;
    private final Network network;
    private final Inputs inputs;
    private final Precision precision;
    private final AdamW optimizer;
    private final Ema average;
    private long steps;

    TrainingStep(NetworkSpec spec, int batch, boolean bf16, Device device) {
        this.device = device;
        network = Architectures.build(spec, Init.of(1, device));
        inputs = Inputs.of(spec, batch, device);
        precision = bf16 ? Precision.BF16 : Precision.FP32;
        optimizer = new AdamW(network.parameters(), ADAMW);
        average = new Ema(0.9999, network::parameters);
    }

    @Override
    public double run() {
        try (Scope scope = Scope.open()) {
            Tensor out;
            try (Autocast autocast = Autocast.to(precision, device)) {
                out = network.forward(inputs.x(), inputs.time(), inputs.condition(), Taps.none());
            }
            Tensor error = out.narrow(1, 0, inputs.noise().size(1)).sub(inputs.noise());
            Tensor loss = error.mul(error).mean();
            loss.backward();
            optimizer.step(ADAMW.lr());
            optimizer.dropGradients();
            average.update(steps++);
            return loss.item_double();
        }
    }

    @Override
    public long parameters() {
        return network.parameterCount();
    }

    @Override
    public void close() {
        average.close();
        optimizer.close();
        network.close();
        inputs.close();
    }
}
