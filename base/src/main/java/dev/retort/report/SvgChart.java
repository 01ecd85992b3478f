package dev.retort.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Draws a {@link Chart} as inline SVG whose colours come from the page, so that it follows light and dark. */
final class SvgChart {
    private static final int WIDTH = 560;
    private static final int HEIGHT = 300;
    private static final int LEFT = 58;
    private static final int RIGHT = 14;
    private static final int TOP = 12;
    private static final int BOTTOM = 46;
    private static final int MOST_POINTS = 400;
    private static final int FEW_POINTS = 24;

    private final Chart chart;
    private final List<Chart.Series> drawn;
    private final List<Integer> colours;

    /** @param models names of the models' lines, in the order of their colours */
    SvgChart(Chart chart, List<String> models) {
        this.chart = chart;
        this.drawn = chart.series().stream().map(this::thinned).toList();
        this.colours = colours(chart, models);
    }

    /** A {@code figure} element: title, drawing, legend. */
    String render() {
        Axis x = Axis.covering(
                all(true).min().orElse(1), all(true).max().orElse(0), chart.logX(), false, LEFT, WIDTH - RIGHT);
        Axis y = Axis.covering(
                all(false).min().orElse(1), all(false).max().orElse(0), chart.logY(), true, HEIGHT - BOTTOM, TOP);
        StringBuilder out = new StringBuilder("<figure class=\"chart\"><figcaption>")
                .append(Html.escape(chart.title()))
                .append("</figcaption>\n<div class=\"plot\"><svg viewBox=\"0 0 ")
                .append(WIDTH + " " + HEIGHT)
                .append("\" role=\"img\" aria-label=\"")
                .append(Html.escape(chart.title()))
                .append("\">\n");
        axes(out, x, y);
        for (int i = 0; i < drawn.size(); i++) {
            curve(out, drawn.get(i), colours.get(i), x, y);
        }
        out.append("<line class=\"cursor\" y1=\"" + TOP + "\" y2=\"" + (HEIGHT - BOTTOM) + "\"/></svg></div>\n");
        legend(out);
        return out.append("</figure>\n").toString();
    }

    private void axes(StringBuilder out, Axis x, Axis y) {
        for (double tick : y.ticks()) {
            out.append(format(
                    "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                            + "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                    LEFT, WIDTH - RIGHT, y.pixel(tick), y.pixel(tick), LEFT - 7, y.pixel(tick) + 4, Axis.label(tick)));
        }
        for (double tick : x.ticks()) {
            out.append(format(
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                    x.pixel(tick), HEIGHT - BOTTOM + 17, Axis.label(tick)));
        }
        out.append(format(
                "<line class=\"base\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
                LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM));
        out.append(format(
                "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, Html.escape(chart.xLabel() + (chart.logX() ? " (log)" : ""))));
        int middle = (TOP + HEIGHT - BOTTOM) / 2;
        out.append(format(
                "<text class=\"label\" x=\"13\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 13 %d)\">%s</text>\n",
                middle, middle, Html.escape(chart.yLabel() + (chart.logY() ? " (log)" : ""))));
    }

    private static void curve(StringBuilder out, Chart.Series series, int colour, Axis x, Axis y) {
        StringBuilder points = new StringBuilder();
        StringBuilder values = new StringBuilder();
        StringBuilder dots = new StringBuilder();
        for (int i = 0; i < series.x().length; i++) {
            double px = x.pixel(series.x()[i]);
            double py = y.pixel(series.y()[i]);
            points.append(format("%.1f,%.1f ", px, py));
            values.append(format("%.7g,%.4g ", series.x()[i], series.y()[i]));
            if (series.x().length <= FEW_POINTS) {
                dots.append(format("<circle class=\"dot c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", colour, px, py));
            }
        }
        out.append(format(
                        "<polyline class=\"curve c%d\" data-name=\"%s\" data-values=\"%s\" points=\"%s\"/>",
                        colour,
                        Html.escape(series.name()),
                        values.toString().strip(),
                        points.toString().strip()))
                .append(dots)
                .append('\n');
    }

    private void legend(StringBuilder out) {
        out.append("<div class=\"legend\">");
        for (int i = 0; i < drawn.size(); i++) {
            out.append(format(
                    "<span><i class=\"swatch c%d\"></i>%s</span>",
                    colours.get(i), Html.escape(drawn.get(i).name())));
        }
        int most = chart.series().stream().mapToInt(s -> s.x().length).max().orElse(0);
        if (most > MOST_POINTS) {
            out.append("<span class=\"fine\">each point is the mean of up to ")
                    .append((most + MOST_POINTS - 1) / MOST_POINTS)
                    .append(" logged values</span>");
        }
        out.append("</div>");
    }

    private DoubleStream all(boolean horizontal) {
        return drawn.stream().flatMapToDouble(s -> DoubleStream.of(horizontal ? s.x() : s.y()));
    }

    /** Drops what cannot be drawn, then averages runs of neighbours until few enough points are left. */
    private Chart.Series thinned(Chart.Series series) {
        int[] good = IntStream.range(0, series.x().length)
                .filter(i -> Double.isFinite(series.x()[i]) && Double.isFinite(series.y()[i]))
                .filter(i -> (!chart.logX() || series.x()[i] > 0) && (!chart.logY() || series.y()[i] > 0))
                .toArray();
        int run = Math.max(1, (good.length + MOST_POINTS - 1) / MOST_POINTS);
        int count = (good.length + run - 1) / run;
        double[] x = new double[count];
        double[] y = new double[count];
        for (int i = 0; i < count; i++) {
            int size = Math.min(run, good.length - i * run);
            for (int j = i * run; j < i * run + size; j++) {
                x[i] += series.x()[good[j]] / size;
                y[i] += series.y()[good[j]] / size;
            }
        }
        return new Chart.Series(series.name(), x, y);
    }

    /** A series named like a model takes that model's colour; the others take the first colours left. */
    private static List<Integer> colours(Chart chart, List<String> models) {
        List<Integer> taken = new ArrayList<>();
        chart.series().forEach(series -> taken.add(models.indexOf(series.name())));
        List<Integer> result = new ArrayList<>();
        int next = 0;
        for (int own : taken) {
            if (own >= 0) {
                result.add(own % 8);
            } else {
                while (taken.contains(next)) {
                    next++;
                }
                result.add(next++ % 8);
            }
        }
        return result;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
