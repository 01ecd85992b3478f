package dev.retort.report;

import java.util.List;

/**
 * Curves over a common axis.
 *
 * @param title what is shown
 * @param xLabel the horizontal axis: {@code images seen}
 * @param yLabel the vertical axis, with its unit
 * @param logX whether the horizontal axis is logarithmic; values that are not positive are then left out
 * @param logY the same of the vertical axis
 * @param series the curves, in the order of their colours; at most eight can be told apart
 */
public record Chart(String title, String xLabel, String yLabel, boolean logX, boolean logY, List<Series> series) {
    /**
     * One curve. Points that are not finite are left out.
     *
     * @param name as the legend says it; a series named like a model has the same colour in every chart
     * @param x ascending
     * @param y as many as x
     */
    public record Series(String name, double[] x, double[] y) {
        /** Checks that both axes have as many values. */
        public Series {
            if (x.length != y.length) {
                throw new IllegalArgumentException(
                        "series " + name + ": " + x.length + " x values and " + y.length + " y values");
            }
        }
    }

    /** Copies the list. */
    public Chart {
        series = List.copyOf(series);
        if (series.size() > 8) {
            throw new IllegalArgumentException("chart " + title + ": " + series.size() + " series, at most 8");
        }
    }
}
