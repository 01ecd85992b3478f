package dev.retort.onnx;

import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;

/**
 * Weights of a graph on their way from a checkpoint into an ONNX file. All arithmetic is in fp32; matrices may be stored as fp16, which a cast widens when the
 * file is opened, since on CPUs products of fp16 are far slower.
 */
final class StoredWeights {
    private final TensorFile file;
    private final Dtype matrices;

    /** @param matrices F32 or F16, the type of what has two dimensions or more */
    StoredWeights(TensorFile file, Dtype matrices) {
        this.file = file;
        this.matrices = matrices;
    }

    /** A weight in its own shape, or another of as many values. */
    String as(OnnxBuilder builder, String name, long... dims) {
        TensorEntry entry = file.entry(name);
        if (entry.dtype() == Dtype.I8) {
            throw new IllegalArgumentException(name + " is of 8 bits, which is written of a product's matrix alone");
        }
        if (!entry.dtype().floating()) {
            Dtype type = entry.dtype() == Dtype.BOOL ? Dtype.BOOL : Dtype.I64;
            float[] values = file.floats(name);
            double[] wide = new double[values.length];
            for (int i = 0; i < wide.length; i++) {
                wide[i] = values[i];
            }
            return builder.constant(name, type, wide, dims);
        }
        Dtype type = entry.shape().length > 1 ? matrices : Dtype.F32;
        String shaped = Arrays.equals(dims, entry.shape()) ? name : name + "." + joined(dims);
        return widened(
                builder, builder.initializer(shaped, type, dims, file.values(name, 0, entry.elements(), type)), type);
    }

    /** A matrix (out, in) as (in, out). */
    String transposed(OnnxBuilder builder, String name) {
        long[] shape = file.entry(name).shape();
        return widened(
                builder,
                builder.initializer(
                        name + ".T", matrices, new long[] {shape[1], shape[0]}, turned(name, shape, matrices)),
                matrices);
    }

    private static String widened(OnnxBuilder builder, String name, Dtype type) {
        return type == Dtype.F32 ? name : builder.add(OnnxOp.CAST, Map.of("to", (long) OnnxType.code(Dtype.F32)), name);
    }

    private static String joined(long[] dims) {
        StringBuilder text = new StringBuilder("as");
        for (long dim : dims) {
            text.append('.').append(dim);
        }
        return text.toString();
    }

    /** The columns of a matrix one after another, whole ones at a time. */
    private SafetensorsWriter.Values turned(String name, long[] shape, Dtype type) {
        return out -> {
            int rows = Math.toIntExact(shape[0]);
            int columns = Math.toIntExact(shape[1]);
            float[] values = file.floats(name);
            float[] column = new float[rows];
            ByteBuffer bytes = ByteBuffer.allocate(rows * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            for (int c = 0; c < columns; c++) {
                for (int r = 0; r < rows; r++) {
                    column[r] = values[r * columns + c];
                }
                bytes.clear();
                if (type == Dtype.I8) {
                    for (float value : column) {
                        bytes.put((byte) value);
                    }
                } else {
                    type.encode(column, 0, rows, bytes);
                }
                bytes.flip();
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
            }
        };
    }

    /** Whether a matrix is stored in whole numbers of 8 bits, which {@code X.weight_scale} turns into weights. */
    boolean quantized(String name) {
        return file.entries().containsKey(name) && file.entry(name).dtype() == Dtype.I8;
    }

    /** A quantised matrix (out, in) as (in, out). */
    String quantizedTransposed(OnnxBuilder builder, String name) {
        long[] shape = file.entry(name).shape();
        return builder.initializer(
                name + ".T", Dtype.I8, new long[] {shape[1], shape[0]}, turned(name, shape, Dtype.I8));
    }

    /** Numbers beside a quantised weight, such as {@code X.weight_scale} beside {@code X.weight}; null where there are none. */
    double[] beside(String name, String what) {
        String beside = name.substring(0, name.lastIndexOf('.') + 1) + what;
        if (!file.entries().containsKey(beside)) {
            return null;
        }
        float[] values = file.floats(beside);
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }
}
