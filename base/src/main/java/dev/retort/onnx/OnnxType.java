package dev.retort.onnx;

import dev.retort.io.Dtype;
import java.util.Map;
import java.util.Optional;

/** Numbers of element types in ONNX files ({@code TensorProto.DataType}). */
final class OnnxType {
    private static final Map<Dtype, Integer> CODES = Map.ofEntries(
            Map.entry(Dtype.F32, 1),
            Map.entry(Dtype.U8, 2),
            Map.entry(Dtype.I8, 3),
            Map.entry(Dtype.U16, 4),
            Map.entry(Dtype.I16, 5),
            Map.entry(Dtype.I32, 6),
            Map.entry(Dtype.I64, 7),
            Map.entry(Dtype.BOOL, 9),
            Map.entry(Dtype.F16, 10),
            Map.entry(Dtype.F64, 11),
            Map.entry(Dtype.U32, 12),
            Map.entry(Dtype.U64, 13),
            Map.entry(Dtype.BF16, 16),
            Map.entry(Dtype.F8_E4M3, 17),
            Map.entry(Dtype.F8_E5M2, 19));

    private OnnxType() {}

    static int code(Dtype type) {
        return CODES.get(type);
    }

    static Optional<Dtype> of(long code) {
        return CODES.entrySet().stream()
                .filter(entry -> entry.getValue() == code)
                .map(Map.Entry::getKey)
                .findFirst();
    }
}
