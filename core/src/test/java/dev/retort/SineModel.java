package dev.retort;

import dev.retort.card.DitSpec;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * A tiny DiT whose every value is a sine, and inputs that are sines: published numbers of the reference implementation on
 * them check ours without any file.
 */
public final class SineModel {
    /** 8x8 in patches of 2, 4 channels, 2 blocks of width 64, 10 classes and the null class, learned variance. */
    public static final DitSpec SPEC = new DitSpec(8, 8, 4, 2, 64, 2, 4, 4, 10, 0.1, true, false);

    private SineModel() {}

    /** The k-th tensor but for the position table holds 0.05·sin(0.37(i+1) + 1.7k). */
    public static Dit create() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Dit dit = new Dit(SPEC, Init.of(0, Device.CPU));
            int k = 0;
            for (Tensor parameter : dit.parameters().values()) {
                float[] values = new float[Math.toIntExact(parameter.numel())];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (0.05 * Math.sin(0.37 * (i + 1) + 1.7 * k));
                }
                parameter.copy_(Tensors.of(values, Device.CPU, Tensors.shape(parameter)));
                k++;
            }
            return dit;
        }
    }

    /** factor·sin(a·i + b), row-major. */
    public static Tensor wave(double factor, double a, double b, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (factor * Math.sin(a * i + b));
        }
        return Tensors.of(values, Device.CPU, shape);
    }
}
