package dev.retort.bench;

import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;

/** Random latents, noise and labels at one time; owned until closed. */
record Inputs(Tensor x, Tensor noise, Tensor time, Condition condition) implements AutoCloseable {
    static final double TIME = 500;

    static Inputs of(DitSpec spec, int batch, Device device) {
        Random random = new Random(1);
        int[] labels = random.ints(batch, 0, spec.classes()).toArray();
        try (Scope scope = Scope.open()) {
            return new Inputs(
                    scope.keep(gaussian(device, random, batch, spec.channels(), spec.height(), spec.width())),
                    scope.keep(gaussian(device, random, batch, spec.channels(), spec.height(), spec.width())),
                    scope.keep(Tensors.full(TIME, device, batch)),
                    Condition.of(Map.of(Part.LABEL, scope.keep(Tensors.of(labels, device)))));
        }
    }

    private static Tensor gaussian(Device device, Random random, int... shape) {
        float[] values = new float[shape[0] * shape[1] * shape[2] * shape[3]];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(values, device, shape[0], shape[1], shape[2], shape[3]);
    }

    @Override
    public void close() {
        x.close();
        noise.close();
        time.close();
        condition.get(Part.LABEL).close();
    }
}
