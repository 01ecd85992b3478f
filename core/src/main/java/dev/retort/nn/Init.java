package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.Tensor;

/**
 * Where the values of a network's tensors come from: drawn, left open, or given. Each tensor that is drawn has a stream of its
 * own, addressed by (seed, name): adding a layer changes no other layer's values.
 */
public final class Init {
    private final long seed;
    private final Device device;
    private final String path;
    private final boolean blank;
    /** Null where values are not given. */
    private final WeightSource weights;
    /** Of the weights of products, where they are given. */
    private final Dtype packed;

    private final boolean ofProduct;

    private Init(
            long seed,
            Device device,
            String path,
            boolean blank,
            WeightSource weights,
            Dtype packed,
            boolean ofProduct) {
        this.seed = seed;
        this.device = device;
        this.path = path;
        this.blank = blank;
        this.weights = weights;
        this.packed = packed;
        this.ofProduct = ofProduct;
    }

    /** The initial values of a whole network. */
    public static Init of(long seed, Device device) {
        return new Init(seed, device, "", false, null, null, false);
    }

    /** No values at all: for a network whose weights are loaded next. */
    public static Init blank(Device device) {
        return new Init(0, device, "", true, null, null, false);
    }

    /**
     * Given values, for sampling: every layer that is a product keeps its weight in the form that {@link Packed} multiplies and
     * in no other, so that no weight is held twice; all other tensors are copied. Of a product that is quantised it is the form of
     * {@link Int8}.
     */
    public static Init packed(WeightSource weights, Device device, Precision precision) {
        Dtype dtype = precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
        return new Init(0, device, "", false, weights, dtype, false);
    }

    /** The same, one name deeper. */
    public Init at(String name) {
        return new Init(seed, device, path + name + ".", blank, weights, packed, ofProduct);
    }

    /** Where the tensors live. */
    public Device device() {
        return device;
    }

    /** Whether values are given and products packed: the network is for sampling. */
    public boolean packs() {
        return weights != null;
    }

    /** The same for the weight and bias of a product: given ones come as they are, since its kernel copies them. */
    Init ofProduct() {
        return new Init(seed, device, path, blank, weights, packed, true);
    }

    /** What computes a layer of these: of a product whose weight is given, a kernel that keeps it. */
    Kernel kernel(Tensor weight, Tensor bias) {
        if (!ofProduct || !packs()) {
            return Kernel.PLAIN;
        }
        Kernel kernel = integers()
                .<Kernel>map(spec -> new Int8(QuantizedLayer.of(weights, layer(), weight, spec), bias, packed))
                .orElseGet(() -> new Packed(weight, bias, packed));
        return weights.around(layer(), kernel);
    }

    /** The path without its last dot. */
    private String layer() {
        return path.substring(0, path.length() - 1);
    }

    /** How the product is computed in whole numbers; elsewhere than in oneDNN its weight is widened. */
    private Optional<QuantizationSpec> integers() {
        return weights.quantization(layer())
                .filter(spec -> spec.multipliesIntegers() && !device.isCuda() && IntegerProduct.possible());
    }

    private Tensor given(String name) {
        if (!ofProduct) {
            return Ops.copy(Dtype.F32.cast(Ops.detach(weights.take(path + name, Dtype.F32))));
        }
        Dtype wanted = integers().isEmpty() ? packed : name.equals("weight") ? Dtype.I8 : Dtype.F32;
        return weights.take(path + name, wanted);
    }

    /** A tensor that follows from the network's shape, unless it is given; {@code computed} makes it. */
    public Tensor fixed(String name, Supplier<Tensor> computed) {
        return weights == null ? computed.get() : given(name);
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

    /** U(-bound, bound). */
    public Tensor uniform(String name, double bound, long... shape) {
        if (weights != null) {
            return given(name);
        }
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
        if (weights != null) {
            return given(name);
        }
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
    public Tensor zeros(String name, long... shape) {
        return weights != null ? given(name) : Tensors.zeros(device, shape);
    }

    /** Ones. */
    public Tensor ones(String name, long... shape) {
        return weights != null ? given(name) : Tensors.full(1, device, shape);
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
