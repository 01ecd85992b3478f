package dev.retort.model.dit;

/** The fixed 2-D sine-cosine position table (dit.md §1.3): column features first, then row features. */
final class PositionTable {
    private PositionTable() {}

    /** Row-major (rows·cols, width) table; each half holds sines, then cosines, of pos·10000^(-k/(width/4)). */
    static double[] sinCos(int rows, int cols, int width) {
        double[] table = new double[rows * cols * width];
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                int token = (row * cols + col) * width;
                half(table, token, width / 4, col);
                half(table, token + width / 2, width / 4, row);
            }
        }
        return table;
    }

    private static void half(double[] table, int offset, int frequencies, int position) {
        for (int k = 0; k < frequencies; k++) {
            double angle = position * Math.pow(10000, -(double) k / frequencies);
            table[offset + k] = Math.sin(angle);
            table[offset + frequencies + k] = Math.cos(angle);
        }
    }
}
