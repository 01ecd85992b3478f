package dev.retort.model;

import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.EnumMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Memory that weights pass through, one after another, on their way into a packed network. Fresh memory for each would
 * leave holes between what is packed, and glibc's aligned allocation cannot put the next weight of the same size into
 * them: now and then a fifth of a large network's size.
 */
public final class Staging implements AutoCloseable {
    private final Map<Dtype, Tensor> matrices = new EnumMap<>(Dtype.class);
    private final Map<Dtype, Tensor> portions = new EnumMap<>(Dtype.class);

    /** An uninitialised tensor, which lies where the one before it of that type lay if it has two dimensions or more. */
    public Tensor tensor(Dtype dtype, Device device, long... shape) {
        if (shape.length < 2) {
            return Tensors.empty(dtype, device, shape);
        }
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return Ops.view(flat(matrices, dtype, device, count), shape);
    }

    /** Copies of tensors that stay as they are. */
    public WeightSource copies(Map<String, Tensor> weights) {
        return (name, dtype) -> {
            Tensor from = Ops.detach(weights.get(name));
            Tensor copy = tensor(Dtype.of(from), Device.of(from), Tensors.shape(from));
            copy.copy_(from);
            return copy;
        };
    }

    /** A flat tensor in the memory of the one before it, apart from {@link #tensor}'s: for what is read to be converted. */
    Tensor portion(Dtype dtype, long count) {
        return flat(portions, dtype, Device.CPU, count);
    }

    private static Tensor flat(Map<Dtype, Tensor> kept, Dtype dtype, Device device, long count) {
        Tensor memory = kept.get(dtype);
        if (memory == null || memory.numel() < count) {
            if (memory != null) {
                memory.close();
            }
            try (Scope scope = Scope.open()) {
                memory = scope.keep(Tensors.empty(dtype, device, count));
            }
            kept.put(dtype, memory);
        }
        return Ops.narrow(memory, 0, 0, count);
    }

    @Override
    public void close() {
        matrices.values().forEach(Tensor::close);
        portions.values().forEach(Tensor::close);
    }
}
