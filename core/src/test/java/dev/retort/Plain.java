package dev.retort;

import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Formulas of layers in double, by plain loops over row-major arrays: what tests compare tensors with. */
public final class Plain {
    private Plain() {}

    /** Values of a normal distribution. */
    public static double[] normal(long seed, double std, int count) {
        Random random = new Random(seed);
        return IntStream.range(0, count)
                .mapToDouble(i -> (float) (std * random.nextGaussian()))
                .toArray();
    }

    /** As a tensor on the CPU. */
    public static Tensor tensor(double[] values, long... shape) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return Tensors.of(floats, Device.CPU, shape);
    }

    /** A tensor's values. */
    public static double[] values(Tensor tensor) {
        float[] floats = Tensors.floats(tensor);
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    /** The largest difference over the largest value expected. */
    public static double error(double[] found, double[] expected) {
        if (found.length != expected.length) {
            throw new AssertionError(found.length + " values, expected " + expected.length);
        }
        double worst = 0;
        double size = 0;
        for (int i = 0; i < found.length; i++) {
            double difference = Math.abs(found[i] - expected[i]);
            worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
            size = Math.max(size, Math.abs(expected[i]));
        }
        return worst / Math.max(size, Float.MIN_NORMAL); // what is to be zero has no size
    }

    /** The same of fp32. */
    public static double error(float[] found, float[] expected) {
        return error(wide(found), wide(expected));
    }

    private static double[] wide(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /** Each value by itself. */
    public static double[] each(double[] x, DoubleUnaryOperator function) {
        return Arrays.stream(x).map(function).toArray();
    }

    /** x / (1 + e^-x). */
    public static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    /** GELU, its tanh approximation. */
    public static double geluTanh(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /** Rows of x, each of as many values as a row of the weight, times its transpose; bias may be null. */
    public static double[] linear(double[] x, double[] weight, double[] bias, int out) {
        int in = weight.length / out;
        double[] y = new double[x.length / in * out];
        for (int i = 0; i < y.length; i++) {
            double sum = bias == null ? 0 : bias[i % out];
            for (int k = 0; k < in; k++) {
                sum += x[i / out * in + k] * weight[i % out * in + k];
            }
            y[i] = sum;
        }
        return y;
    }

    /** Pictures (n, channels, height, width). */
    public record Image(double[] values, int channels, int height, int width) {
        /** A pixel; zero outside. */
        public double at(int n, int c, int y, int x) {
            boolean inside = y >= 0 && y < height && x >= 0 && x < width;
            return inside ? values[((n * channels + c) * height + y) * width + x] : 0;
        }

        /** How many there are. */
        public int count() {
            return values.length / (channels * height * width);
        }

        /** Other values of the same shape. */
        public Image with(double[] others) {
            return new Image(others, channels, height, width);
        }

        /** As a tensor. */
        public Tensor tensor() {
            return Plain.tensor(values, count(), channels, height, width);
        }
    }

    /** Cross-correlation with zeros around; {@code before} rows and columns of them at the top and left. */
    public static Image conv(
            Image x, double[] weight, double[] bias, int out, int kernel, int stride, int before, int after) {
        int height = (x.height + before + after - kernel) / stride + 1;
        int width = (x.width + before + after - kernel) / stride + 1;
        double[] y = new double[x.count() * out * height * width];
        for (int i = 0; i < y.length; i++) {
            int col = i % width;
            int row = i / width % height;
            int o = i / (width * height) % out;
            double sum = bias == null ? 0 : bias[o];
            for (int k = 0; k < x.channels * kernel * kernel; k++) {
                int dx = k % kernel;
                int dy = k / kernel % kernel;
                int c = k / (kernel * kernel);
                sum += weight[o * x.channels * kernel * kernel + k]
                        * x.at(i / (width * height * out), c, row * stride + dy - before, col * stride + dx - before);
            }
            y[i] = sum;
        }
        return new Image(y, out, height, width);
    }

    /** Groups of channels, each with mean 0 and variance 1 over its pixels, scaled and shifted by channel. */
    public static Image groupNorm(Image x, int groups, double[] weight, double[] bias, double eps) {
        int pixels = x.height * x.width;
        int size = x.channels / groups * pixels;
        double[] y = new double[x.values.length];
        for (int group = 0; group < y.length / size; group++) {
            double[] normed = layerNorm(Arrays.copyOfRange(x.values, group * size, (group + 1) * size), eps);
            for (int i = 0; i < size; i++) {
                int channel = (group * size + i) / pixels % x.channels;
                y[group * size + i] = normed[i] * weight[channel] + bias[channel];
            }
        }
        return x.with(y);
    }

    /** Mean 0 and variance 1. */
    public static double[] layerNorm(double[] x, double eps) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        return each(x, v -> (v - mean) / Math.sqrt(variance + eps));
    }

    /** Mean square 1, then scaled by the weight. */
    public static double[] rmsNorm(double[] x, double[] weight, double eps) {
        double square = Arrays.stream(x).map(v -> v * v).average().orElseThrow();
        return IntStream.range(0, x.length)
                .mapToDouble(i -> x[i] / Math.sqrt(square + eps) * weight[i])
                .toArray();
    }

    /** e^x over its sum. */
    public static double[] softmax(double[] x) {
        double most = Arrays.stream(x).max().orElseThrow();
        double[] e = each(x, v -> Math.exp(v - most));
        double sum = Arrays.stream(e).sum();
        return each(e, v -> v / sum);
    }
}
