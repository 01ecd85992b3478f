package dev.retort.torch;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.Tensor;

/**
 * Products of fp32 matrices on the CPU by BLAS, each part of them on one thread of a {@link Team}. Operands are read and
 * results written where they lie: a matrix may be transposed or one of many in a larger tensor (queries of one head among
 * those of all), so nothing is copied into a layout first. Per product this costs a call of less than a microsecond;
 * libtorch's batched product costs three (49 x 64 x 49 on an AVX2 EPYC: 44 GFLOP/s, here 120).
 *
 * <p>What is summed in which order depends on the shapes and the number of threads only.
 */
final class BlasProducts {
    private static final int ROW_MAJOR = 101;
    private static final int AS_IT_IS = 111;
    private static final int TRANSPOSED = 112;
    /** Fewer operations are done before another thread has woken. */
    private static final double WORTH_A_THREAD = 2e6;
    /** From here on a thread gets its work in two parts, so that the others can take one off it when a neighbour holds it up. */
    private static final double WORTH_TWO_PARTS = 1e9;
    /** Each part packs its operands again, which shows below this many rows. */
    private static final int LEAST_ROWS = 64;
    /** Parts begin at whole blocks of OpenBLAS's kernels (4, 8 or 16 rows). */
    private static final int ROUND_TO = 16;

    private BlasProducts() {}

    /**
     * Matrices in a tensor of two to four dimensions, the last two of which are theirs.
     *
     * @param at address of the first
     * @param leading distance of two rows, or of two columns when {@code transposed}
     * @param outer how many groups of {@code inner} matrices, and how far apart; likewise {@code inner}
     */
    record Matrices(
            FloatPointer at,
            int rows,
            int cols,
            boolean transposed,
            int leading,
            int outer,
            long outerStride,
            int inner,
            long innerStride) {
        static Matrices of(Tensor t) {
            int dims = (int) t.dim();
            int rows = (int) t.size(dims - 2);
            int cols = (int) t.size(dims - 1);
            long down = t.stride(dims - 2);
            long right = t.stride(dims - 1);
            boolean plain = right == 1 || cols == 1;
            return new Matrices(
                    t.data_ptr_float(),
                    rows,
                    cols,
                    !plain,
                    (int) (plain ? Math.max(down, cols) : Math.max(right, rows)),
                    dims > 3 ? (int) t.size(dims - 4) : 1,
                    dims > 3 ? t.stride(dims - 4) : 0,
                    dims > 2 ? (int) t.size(dims - 3) : 1,
                    dims > 2 ? t.stride(dims - 3) : 0);
        }

        int count() {
            return outer * inner;
        }

        long offset(int matrix) {
            return matrix / inner * outerStride + matrix % inner * innerStride;
        }

        long row(int row) {
            return transposed ? row : (long) row * leading;
        }

        long col(int col) {
            return transposed ? (long) col * leading : col;
        }

        int order() {
            return transposed ? TRANSPOSED : AS_IT_IS;
        }
    }

    /** Whether {@link #multiply} can read or write the tensor where it lies. */
    static boolean fits(Tensor t) {
        long dims = t.dim();
        return t.stride(dims - 1) == 1 || t.stride(dims - 2) == 1 || t.size(dims - 1) == 1;
    }

    /**
     * out ← alpha·a·b + beta·out for each matrix of the leading dimensions.
     *
     * @param a (…, m, k), b (…, k, n), out (…, m, n), with equal leading dimensions, at most two; the last dimension of
     *     {@code out} is contiguous
     */
    static void multiply(Team team, Tensor a, Tensor b, Tensor out, double alpha, double beta) {
        Matrices left = Matrices.of(a);
        Matrices right = Matrices.of(b);
        Matrices result = Matrices.of(out);
        int count = result.count();
        if (left.cols != right.rows
                || result.rows != left.rows
                || result.cols != right.cols
                || left.count() != count
                || right.count() != count
                || result.transposed) {
            throw new IllegalArgumentException("these do not multiply: " + left + ", " + right + ", " + result);
        }
        if (count == 0 || result.rows == 0 || result.cols == 0) {
            return;
        }
        double operations = 2.0 * count * result.rows * result.cols * left.cols;
        Box whole = new Box(0, count, 0, result.rows, 0, result.cols);
        int each = operations < WORTH_TWO_PARTS ? 1 : 2;
        Box[] parts = operations < WORTH_A_THREAD ? new Box[] {whole} : whole.cut(each * team.threads());
        team.run(parts.length, i -> parts[i].multiply(left, right, result, (float) alpha, (float) beta));
    }

    /** Rows and columns, each from the first to before the end, in the results of some of the products. */
    private record Box(int first, int end, int firstRow, int endRow, int firstCol, int endCol) {
        /** About so many boxes: whole products each, or slices of one along its longer side where there are few. */
        Box[] cut(int wanted) {
            int count = end - first;
            if (count >= 2 * wanted) {
                Box[] parts = new Box[wanted];
                for (int i = 0; i < wanted; i++) {
                    parts[i] = new Box(share(i, wanted), share(i + 1, wanted), firstRow, endRow, firstCol, endCol);
                }
                return parts;
            }
            boolean byRows = endRow >= endCol;
            int length = byRows ? endRow : endCol;
            int slices = Math.max(1, Math.min((wanted + count - 1) / count, length / LEAST_ROWS));
            int step = roundUp((length + slices - 1) / slices, ROUND_TO);
            slices = (length + step - 1) / step;
            Box[] parts = new Box[count * slices];
            for (int i = 0; i < parts.length; i++) {
                int from = i % slices * step;
                int to = Math.min(length, from + step);
                parts[i] = byRows
                        ? new Box(i / slices, i / slices + 1, from, to, 0, endCol)
                        : new Box(i / slices, i / slices + 1, 0, endRow, from, to);
            }
            return parts;
        }

        private int share(int part, int parts) {
            return (int) ((long) end * part / parts);
        }

        private static int roundUp(int n, int multiple) {
            return (n + multiple - 1) / multiple * multiple;
        }

        void multiply(Matrices a, Matrices b, Matrices out, float alpha, float beta) {
            View left = new View(a);
            View right = new View(b);
            View result = new View(out);
            for (int i = first; i < end; i++) {
                left.position(a.offset(i) + a.row(firstRow));
                right.position(b.offset(i) + b.col(firstCol));
                result.position(out.offset(i) + out.row(firstRow) + firstCol);
                left.multiply(right, result, endRow - firstRow, endCol - firstCol, alpha, beta);
            }
        }
    }

    /** A place in matrices, for one thread: what is multiplied or written begins there. */
    static final class View {
        private final Matrices matrices;
        private final FloatPointer at;

        View(Matrices matrices) {
            this.matrices = matrices;
            at = new FloatPointer(matrices.at);
        }

        /** Moves it to so many values from the first matrix. */
        View position(long offset) {
            at.position(offset);
            return this;
        }

        /** out ← alpha·this·b + beta·out, so many rows and columns of it, on this thread. */
        void multiply(View b, View out, int rows, int cols, float alpha, float beta) {
            openblas_nolapack.cblas_sgemm(
                    ROW_MAJOR,
                    matrices.order(),
                    b.matrices.order(),
                    rows,
                    cols,
                    matrices.cols,
                    alpha,
                    at,
                    matrices.leading,
                    b.at,
                    b.matrices.leading,
                    beta,
                    out.at,
                    out.matrices.leading);
        }
    }
}
