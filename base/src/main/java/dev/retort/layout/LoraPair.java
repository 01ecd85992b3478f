package dev.retort.layout;

import java.util.Arrays;
import java.util.function.Supplier;

/**
 * An adapter of low rank (Hu et al. 2021) of one module: adds scale·B·A to its weight.
 *
 * @param name what errors call it: its key in the file, or the module
 * @param component which network the module belongs to
 * @param module the module's path
 * @param underscored whether dots of the path are written as low lines
 * @param downShape shape of A (rank, in) or (rank, in, height, width)
 * @param upShape shape of B (out, rank) or (out, rank, 1, 1)
 * @param scale alpha / rank
 * @param down values of A, read anew at each call
 * @param up values of B, likewise
 */
public record LoraPair(
        String name,
        LoraComponent component,
        String module,
        boolean underscored,
        long[] downShape,
        long[] upShape,
        double scale,
        Supplier<float[]> down,
        Supplier<float[]> up) {
    /** Checks that A and B have one rank; an error names the pair. */
    public LoraPair {
        boolean same = downShape.length == upShape.length
                && (downShape.length == 2 || downShape.length == 4)
                && downShape[0] == upShape[1]
                && downShape[0] > 0
                && (upShape.length == 2 || upShape[2] == 1 && upShape[3] == 1);
        if (!same) {
            throw new IllegalArgumentException("'" + name + "' has A of shape " + Arrays.toString(downShape)
                    + " and B of shape " + Arrays.toString(upShape)
                    + ", which are of no one rank: expected (rank, in) and (out, rank), of a convolution"
                    + " (rank, in, height, width) and (out, rank, 1, 1)");
        }
    }

    /** The pair of a linear layer or convolution in memory. */
    public static LoraPair of(String module, long[] downShape, float[] a, long[] upShape, float[] b) {
        return new LoraPair(module, LoraComponent.DENOISER, module, false, downShape, upShape, 1, () -> a, () -> b);
    }

    /** Rows of A. */
    public int rank() {
        return Math.toIntExact(downShape[0]);
    }

    /** Values that one row of A has: those of a row of the weight. */
    public int inputs() {
        long count = 1;
        for (int i = 1; i < downShape.length; i++) {
            count *= downShape[i];
        }
        return Math.toIntExact(count);
    }

    /** Rows of B: those of the weight. */
    public int outputs() {
        return Math.toIntExact(upShape[0]);
    }

    /** The same with another strength. */
    public LoraPair scaled(double by) {
        return new LoraPair(name, component, module, underscored, downShape, upShape, by, down, up);
    }

    /** The same of another network's layer, by a path with dots. */
    LoraPair at(LoraComponent other, String path) {
        return new LoraPair(name, other, path, false, downShape, upShape, scale, down, up);
    }

    /** Those rows alone of what it adds: A as it is, and some rows of B. */
    LoraPair rows(int first, int count) {
        int rank = rank();
        long[] shape = upShape.clone();
        shape[0] = count;
        return new LoraPair(
                name,
                component,
                module,
                underscored,
                downShape,
                shape,
                scale,
                down,
                () -> Arrays.copyOfRange(up.get(), first * rank, (first + count) * rank));
    }

    /** Values of scale·B. */
    float[] scaledUp() {
        float[] b = up.get().clone();
        for (int i = 0; i < b.length; i++) {
            b[i] *= (float) scale;
        }
        return b;
    }

    /** Whether the other adds the same values. */
    boolean adds(LoraPair other) {
        return this == other
                || scale == other.scale
                        && Arrays.equals(down.get(), other.down.get())
                        && Arrays.equals(up.get(), other.up.get());
    }

    /** Frobenius norm of what it adds, scale·|B·A|: of tr((Bᵀ·B)·(A·Aᵀ)), so the product itself is never made. */
    public double norm() {
        double[][] ofA = gram(down.get(), rank(), inputs(), inputs(), 1);
        double[][] ofB = gram(up.get(), rank(), outputs(), 1, rank());
        double sum = 0;
        for (int i = 0; i < rank(); i++) {
            for (int k = 0; k < rank(); k++) {
                sum += ofA[i][k] * ofB[i][k];
            }
        }
        return Math.abs(scale) * Math.sqrt(Math.max(0, sum));
    }

    /** Products of {@code count} vectors of so many values with each other, the i-th beginning at i·step. */
    private static double[][] gram(float[] values, int count, int length, int step, int stride) {
        double[][] gram = new double[count][count];
        for (int i = 0; i < count; i++) {
            for (int k = 0; k <= i; k++) {
                double sum = 0;
                for (int at = 0; at < length; at++) {
                    sum += (double) values[i * step + at * stride] * values[k * step + at * stride];
                }
                gram[i][k] = sum;
                gram[k][i] = sum;
            }
        }
        return gram;
    }
}
