package dev.retort.onnx;

import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * x·weightᵀ + bias in ONNX. Of an fp32 weight it is MatMul and Add, which ONNX Runtime makes one Gemm. Of one of 8 bits it is what ONNX Runtime
 * computes in whole numbers, activations as unsigned bytes: with a calibrated range QuantizeLinear and MatMulIntegerToFloat, without one
 * DynamicQuantizeLinear, MatMulInteger, Cast, Mul and Add, which it fuses. (A QuantizeLinear, DequantizeLinear pair before a MatMul with a bias it does
 * not fuse.)
 */
final class LinearLowering {
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
                ? dynamic(x, bytes, scale, zero, bias)
                : fixed(x, weight, bytes, scale, zero, bias, inputScales);
    }

    private String dynamic(String x, String bytes, String scale, String zero, String bias) {
        List<String> q = builder.add(3, OnnxOp.DYNAMIC_QUANTIZE_LINEAR, Map.of(), x); // bytes, scale, zero point
        String product = builder.add(OnnxOp.MATMUL_INTEGER, q.get(0), bytes, q.get(2), zero);
        String wide = builder.add(OnnxOp.CAST, Map.of("to", (long) OnnxType.code(Dtype.F32)), product);
        String scaled = builder.add(OnnxOp.MUL, wide, builder.add(OnnxOp.MUL, q.get(1), scale));
        return plus(scaled, bias);
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
