package dev.retort.onnx;

import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * x·weightᵀ + bias in ONNX. Of an fp32 weight it is MatMul and Add, which ONNX Runtime makes one Gemm. Of one of 8 bits it is QuantizeLinear and
 * MatMulIntegerToFloat, which ONNX Runtime computes in whole numbers, activations as unsigned bytes: by a calibrated range, or, without one, each row by its
 * own largest magnitude. (DynamicQuantizeLinear takes one range for a whole batch, so a sample would depend on those beside it; a QuantizeLinear,
 * DequantizeLinear pair before a MatMul with a bias is not fused.)
 */
final class LinearLowering {
    /** What stands for zero in rows by their own magnitude, and the largest distance from it. */
    private static final int MIDDLE = 128;

    private static final int FULL = 127;
    /** The scale of a row of zeros; any will do. */
    private static final double TINY = 1e-30;

    private final OnnxBuilder builder;
    private final StoredWeights weights;
    private final Set<String> stored;
    private final StepIndex step;

    /**
     * @param stored names of the graph's values that come from the checkpoint
     * @param step where activations have a range for each step
     */
    LinearLowering(OnnxBuilder builder, StoredWeights weights, Set<String> stored, StepIndex step) {
        this.builder = builder;
        this.weights = weights;
        this.stored = stored;
        this.step = step;
    }

    /**
     * The product.
     *
     * @param operands of the graph's node: x, weight, perhaps bias
     * @param in their names in the file; that of a stored weight is not asked for
     */
    String of(List<Value> operands, Operands in) {
        String weight = operands.get(1).name();
        String bias = operands.size() > 2 ? in.get(2) : null;
        if (stored.contains(weight) && weights.quantized(weight)) {
            return quantized(in.get(0), weight, bias);
        }
        String turned = stored.contains(weight)
                ? weights.transposed(builder, weight)
                : builder.add(OnnxOp.TRANSPOSE, Map.of("perm", List.of(1L, 0L)), in.get(1));
        return plus(builder.add(OnnxOp.MATMUL, in.get(0), turned), bias);
    }

    private String plus(String product, String bias) {
        return bias == null ? product : builder.add(OnnxOp.ADD, product, bias);
    }

    private String quantized(String x, String weight, String bias) {
        String bytes = weights.quantizedTransposed(builder, weight);
        double[] scales = required(weight, "weight_scale");
        String scale = builder.constant(weight + "_scale", Dtype.F32, scales, scales.length);
        String zero = builder.constant("zero.I8." + scales.length, Dtype.I8, new double[scales.length], scales.length);
        double[] inputScales = weights.beside(weight, "input_scale");
        return inputScales == null
                ? byRow(x, bytes, scale, zero, bias)
                : fixed(x, weight, bytes, scale, zero, bias, inputScales);
    }

    private String byRow(String x, String bytes, String scale, String zero, String bias) {
        String largest =
                builder.add(OnnxOp.REDUCE_MAX, Map.of("keepdims", 1L), builder.add(OnnxOp.ABS, x), builder.wholes(-1));
        String scales =
                builder.add(OnnxOp.CLIP, builder.add(OnnxOp.DIV, largest, builder.number(FULL)), builder.number(TINY));
        String one = builder.number(1);
        String middle = builder.number(Dtype.U8, MIDDLE);
        String q = builder.add(OnnxOp.QUANTIZE_LINEAR, builder.add(OnnxOp.DIV, x, scales), one, middle);
        String product = builder.add(OnnxOp.MATMUL_INTEGER_TO_FLOAT, q, bytes, one, scale, middle, zero);
        return plus(builder.add(OnnxOp.MUL, product, scales), bias);
    }

    private String fixed(
            String x, String weight, String bytes, String scale, String zero, String bias, double[] inputScales) {
        double[] points = required(weight, "input_zero_point");
        for (double point : points) {
            if (point != Math.rint(point) || point < 0 || point > 255) {
                throw new IllegalArgumentException(
                        weight + " has an input_zero_point of " + point + ", expected a whole number from 0 to 255");
            }
        }
        String path = weight.substring(0, weight.lastIndexOf('.') + 1);
        String inputScale = step.pick(builder, path + "input_scale", Dtype.F32, inputScales);
        String point = step.pick(builder, path + "input_zero_point", Dtype.U8, points);
        String q = builder.add(OnnxOp.QUANTIZE_LINEAR, x, inputScale, point);
        return bias == null
                ? builder.add(OnnxOp.MATMUL_INTEGER_TO_FLOAT, q, bytes, inputScale, scale, point, zero)
                : builder.add(OnnxOp.MATMUL_INTEGER_TO_FLOAT, q, bytes, inputScale, scale, point, zero, bias);
    }

    private double[] required(String weight, String what) {
        double[] numbers = weights.beside(weight, what);
        if (numbers == null) {
            throw new IllegalArgumentException(weight + " is of 8 bits, but there is no " + what + " beside it");
        }
        return numbers;
    }
}
