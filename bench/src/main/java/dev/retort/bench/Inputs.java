package dev.retort.bench;

import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/** Random latents, noise and labels at one time; owned until closed. */
record Inputs(Tensor x, Tensor noise, Tensor time, Condition condition) implements AutoCloseable {
    static final double TIME = 500;

    /** A prime, so that rows of no matrix are alike. */
    private static final int NUMBERS = 1_000_003;

    private static final float[] NORMAL = normal();

    static Inputs of(NetworkSpec spec, int batch, Device device) {
        try (Scope scope = Scope.open()) {
            Map<Part, Tensor> told = new EnumMap<>(Part.class);
            spec.condition().parts().forEach((part, shape) -> {
                long[] whole = new long[shape.size() + 1];
                whole[0] = batch;
                for (int i = 0; i < shape.size(); i++) {
                    whole[i + 1] = shape.get(i);
                }
                told.put(
                        part,
                        scope.keep(part == Part.LABEL ? labels(spec, batch, device) : gaussian(device, 1, whole)));
            });
            return new Inputs(
                    scope.keep(gaussian(device, 1, batch, spec.channels(), spec.height(), spec.width())),
                    scope.keep(gaussian(device, 1, batch, spec.channels(), spec.height(), spec.width())),
                    scope.keep(Tensors.full(TIME, device, batch)),
                    Condition.of(told));
        }
    }

    private static Tensor labels(NetworkSpec spec, int batch, Device device) {
        return Tensors.of(new Random(1).ints(batch, 0, spec.classes()).toArray(), device);
    }

    /** Normal numbers, of which a few are used again and again: they cost nothing beside the weights of a large network. */
    static Tensor gaussian(Device device, double std, long... shape) {
        float[] values = new float[Math.toIntExact(LongStream.of(shape).reduce(1, Math::multiplyExact))];
        for (int i = 0; i < values.length; i += NORMAL.length) {
            System.arraycopy(NORMAL, 0, values, i, Math.min(NORMAL.length, values.length - i));
        }
        if (std != 1) {
            for (int i = 0; i < values.length; i++) {
                values[i] *= (float) std;
            }
        }
        return Tensors.of(values, device, shape);
    }

    private static float[] normal() {
        Random random = new Random(1);
        float[] values = new float[NUMBERS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @Override
    public void close() {
        x.close();
        noise.close();
        time.close();
        for (Part part : Part.values()) {
            if (condition.has(part)) {
                condition.get(part).close();
            }
        }
    }
}
