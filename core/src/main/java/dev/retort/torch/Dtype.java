package dev.retort.torch;

import dev.retort.graph.Op;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Element types of tensors, under the names safetensors gives them. */
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

    /** The same type in files and graphs. */
    dev.retort.io.Dtype stored() {
        return dev.retort.io.Dtype.valueOf(name());
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
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
