package dev.retort.layout;

/** The fixed 2-D sine-cosine position table (dit.md §1.3): column features first, then row features. */
public final class PositionTable {
    private PositionTable() {}

    /** Row-major (rows·cols, width) table; each half holds sines, then cosines, of pos·10000^(-k/(width/4)). */
    public static double[] sinCos(int rows, int cols, int width) {
        return sinCos(rows, cols, width, 1, 1);
    }

    /**
     * The same on a grid of another spacing. Tokens lie as their patches do: the middle of patch i at (i + ½)·spacing - ½, so
     * that with half the spacing four tokens share the place of one.
     */
    public static double[] sinCos(int rows, int cols, int width, double rowSpacing, double colSpacing) {
        double[] table = new double[rows * cols * width];
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                int token = (row * cols + col) * width;
                half(table, token, width / 4, place(col, colSpacing));
                half(table, token + width / 2, width / 4, place(row, rowSpacing));
            }
        }
        return table;
    }

    private static double place(int index, double spacing) {
        return (index + 0.5) * spacing - 0.5;
    }

    private static void half(double[] table, int offset, int frequencies, double position) {
        for (int k = 0; k < frequencies; k++) {
            double angle = position * Math.pow(10000, -(double) k / frequencies);
            table[offset + k] = Math.sin(angle);
            table[offset + frequencies + k] = Math.cos(angle);
        }
    }

    /** Spacing of a table's columns or rows, as the angles of the fastest feature of two neighbours tell it. */
    public static double spacing(float[] table, int cols, int width, boolean ofRows) {
        int quarter = width / 4;
        int first = ofRows ? width / 2 : 0;
        int second = first + (ofRows ? cols * width : width);
        double angle =
                Math.atan2(table[second], table[second + quarter]) - Math.atan2(table[first], table[first + quarter]);
        return angle < 0 ? angle + 2 * Math.PI : angle;
    }
}
