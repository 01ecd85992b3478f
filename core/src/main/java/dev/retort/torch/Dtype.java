package dev.retort.torch;

import dev.retort.graph.Op;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Element types of tensors: those of {@link dev.retort.io.Dtype} that are computed with, under the same names. */
public enum Dtype {
    /** 32-bit float. */
    F32(ScalarType.Float, 4),
    /** 64-bit float. */
    F64(ScalarType.Double, 8),
    /** IEEE half. */
    F16(ScalarType.Half, 2),
    /** bfloat16. */
    BF16(ScalarType.BFloat16, 2),
    /** 64-bit integer. */
    I64(ScalarType.Long, 8),
    /** 32-bit integer. */
    I32(ScalarType.Int, 4),
    /** Signed byte. */
    I8(ScalarType.Char, 1),
    /** Unsigned byte. */
    U8(ScalarType.Byte, 1),
    /** Truth value. */
    BOOL(ScalarType.Bool, 1);

    private final ScalarType scalarType;
    private final int bytes;

    Dtype(ScalarType scalarType, int bytes) {
        this.scalarType = scalarType;
        this.bytes = bytes;
    }

    ScalarType scalarType() {
        return scalarType;
    }

    /** The number that stands for it in TorchScript, and in operators that are called by their schema. */
    public int code() {
        return scalarType.value;
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
    }

    /** The same type in files and graphs. */
    public dev.retort.io.Dtype stored() {
        return dev.retort.io.Dtype.valueOf(name());
    }

    /** The type that a file's values have as a tensor without being converted; empty where they have to be. */
    public static Optional<Dtype> of(dev.retort.io.Dtype stored) {
        return Arrays.stream(values()).filter(dtype -> dtype.stored() == stored).findFirst();
    }

    /** The element type of a tensor. */
    public static Dtype of(Tensor tensor) {
        ScalarType type = tensor.scalar_type().intern();
        for (Dtype dtype : values()) {
            if (dtype.scalarType == type) {
                return dtype;
            }
        }
        throw new IllegalArgumentException("no name for element type " + type);
    }

    /** The tensor in this element type, itself where it has it already. */
    public Tensor cast(Tensor tensor) {
        Tensor cast = tensor.to(scalarType);
        return Recorder.isOn() ? Recorder.note(cast, Op.CAST, Map.of("type", stored()), tensor) : cast;
    }
}
