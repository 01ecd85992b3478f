package dev.retort.nn;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.Tensor;

/**
 * Initial values of parameters. Each tensor has a stream of its own, addressed by (seed, name): adding a layer changes no
 * other layer's values.
 *
 * @param seed seed of the run
 * @param device where the tensors live
 * @param path name of the layer being built, a prefix of its tensors' names
 * @param blank leave values unset: for networks whose weights are loaded next
 */
public record Init(long seed, Device device, String path, boolean blank) {
    /** The initial values of a whole network. */
    public static Init of(long seed, Device device) {
        return new Init(seed, device, "", false);
    }

    /** No values at all: for a network whose weights are loaded next. */
    public static Init blank(Device device) {
        return new Init(0, device, "", true);
    }

    /** The same seed and device, one name deeper. */
    public Init at(String name) {
        return new Init(seed, device, path + name + ".", blank);
    }

    /** Xavier-uniform: U(-a, a), a = sqrt(6 / (fanIn + fanOut)), the shape's first dimension being fanOut. */
    public Tensor xavierUniform(String name, long... shape) {
        long fanOut = shape[0];
        long fanIn = 1;
        for (int i = 1; i < shape.length; i++) {
            fanIn *= shape[i];
        }
        double bound = Math.sqrt(6.0 / (fanIn + fanOut));
        return uniform(name, bound, shape);
    }

    /** Kaiming-uniform for ReLU networks: U(-a, a), a = sqrt(6 / fanIn). */
    public Tensor kaimingUniform(String name, long... shape) {
        long fanIn = 1;
        for (int i = 1; i < shape.length; i++) {
            fanIn *= shape[i];
        }
        return uniform(name, Math.sqrt(6.0 / fanIn), shape);
    }

    private Tensor uniform(String name, double bound, long... shape) {
        if (blank) {
            return Tensors.empty(Dtype.F32, device, shape);
        }
        float[] values = new float[count(shape)];
        Rng rng = stream(name);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((2 * rng.nextDouble() - 1) * bound);
        }
        return Tensors.of(values, device, shape);
    }

    /** N(0, std²). */
    public Tensor normal(String name, double std, long... shape) {
        if (blank) {
            return Tensors.empty(Dtype.F32, device, shape);
        }
        float[] values = new float[count(shape)];
        stream(name).fillGaussian(values);
        for (int i = 0; i < values.length; i++) {
            values[i] *= (float) std;
        }
        return Tensors.of(values, device, shape);
    }

    /** Zeros. */
    public Tensor zeros(long... shape) {
        return Tensors.zeros(device, shape);
    }

    /** Ones. */
    public Tensor ones(long... shape) {
        return Tensors.full(1, device, shape);
    }

    private Rng stream(String name) {
        CRC32C crc = new CRC32C();
        crc.update((path + name).getBytes(StandardCharsets.UTF_8));
        return Rng.at(seed, Purpose.INIT, 0, crc.getValue());
    }

    private static int count(long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return Math.toIntExact(count);
    }
}
