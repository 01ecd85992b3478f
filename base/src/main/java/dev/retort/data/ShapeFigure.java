package dev.retort.data;

import java.util.Arrays;
import java.util.Optional;

/**
 * The largest figure in a picture that differs from its background in hue, so that light and shadow do not count. The
 * picture is smoothed first, against noise.
 *
 * @param size rows and columns of the picture
 * @param cover how much of each pixel belongs to the figure, 0 to 1, where the mean of its core is 1
 * @param hue how the core differs from the background, RGB without the grey part
 * @param background the background, RGB without the grey part
 * @param area the sum of cover, in units of half the picture's side, squared
 * @param x its centre of mass, -1 left edge to 1 right edge
 * @param y its centre of mass, -1 top edge to 1 bottom edge
 * @param besideShare how much of the picture beside it differs from the background too, as a share of its area
 */
record ShapeFigure(
        int size,
        double[] cover,
        double[] hue,
        double[] background,
        double area,
        double x,
        double y,
        double besideShare) {
    /** The least chroma by which a figure differs. */
    private static final double LEAST_CHROMA = 0.1;

    /** The share of a picture that its smallest figures fill safely. */
    private static final double CORE_SHARE = 0.015;

    /** A pixel belongs to the core where it differs by this share of what nearly the most different one does. */
    private static final double CORE = 0.7;

    /** Cover below this is noise. */
    private static final double LEAST_COVER = 0.2;

    private static final double HALF = 0.5;

    /** Finds it; empty where all is of one hue. */
    static Optional<ShapeFigure> find(float[] pixels, int offset, int size) {
        int count = size * size;
        double[][] chroma = chroma(pixels, offset, size);
        double[] background = new double[3];
        for (int c = 0; c < 3; c++) {
            double[] sorted = chroma[c].clone();
            Arrays.sort(sorted);
            background[c] = sorted[count / 2];
            for (int p = 0; p < count; p++) {
                chroma[c][p] -= background[c];
            }
        }
        double[] away = new double[count];
        for (int p = 0; p < count; p++) {
            away[p] = Math.sqrt(square(chroma[0][p]) + square(chroma[1][p]) + square(chroma[2][p]));
        }
        double most = most(away);
        if (most < LEAST_CHROMA) {
            return Optional.empty();
        }
        double[] hue = new double[3];
        for (int c = 0; c < 3; c++) {
            hue[c] = coreMean(chroma[c], away, most);
        }
        double whole = square(hue[0]) + square(hue[1]) + square(hue[2]);
        double[] cover = new double[count];
        for (int p = 0; p < count; p++) {
            double along = chroma[0][p] * hue[0] + chroma[1][p] * hue[1] + chroma[2][p] * hue[2];
            cover[p] = Math.max(0, Math.min(1, along / whole));
            away[p] /= Math.sqrt(whole);
        }
        return largest(size, cover, away).map(found -> found.of(hue, background));
    }

    /** The cover of a drawn shape, smoothed as a picture is. */
    record Drawn(double[] cover, double core) {
        /**
         * Smooths.
         *
         * @param times once for a sharp picture, more for a blurred one
         */
        static Drawn of(double[] sharp, int size, int times) {
            double[] smooth = sharp;
            for (int i = 0; i < times; i++) {
                smooth = smoothed(smooth, size);
            }
            double core = coreMean(smooth, smooth, most(smooth));
            for (int p = 0; p < smooth.length; p++) {
                smooth[p] = Math.min(1, smooth[p] / core);
                smooth[p] = smooth[p] > LEAST_COVER ? smooth[p] : 0;
            }
            return new Drawn(smooth, core);
        }

        double area(int size) {
            return Arrays.stream(cover).sum() * 4 / (size * size);
        }
    }

    /** Area in common with a drawn shape, as a share of what either covers. */
    double overlap(Drawn drawn) {
        double both = 0;
        double either = 0;
        for (int p = 0; p < cover.length; p++) {
            both += Math.min(cover[p], drawn.cover[p]);
            either += Math.max(cover[p], drawn.cover[p]);
        }
        return both / either;
    }

    private ShapeFigure of(double[] ofHue, double[] before) {
        return new ShapeFigure(size, cover, ofHue, before, area, x, y, besideShare);
    }

    private static double most(double[] values) {
        double[] sorted =
                Arrays.stream(values).filter(value -> value > 0).sorted().toArray();
        int core = (int) (CORE_SHARE * values.length);
        return core < sorted.length ? sorted[sorted.length - 1 - core] : 0;
    }

    private static double coreMean(double[] values, double[] away, double most) {
        double sum = 0;
        int core = 0;
        for (int p = 0; p < values.length; p++) {
            if (away[p] >= CORE * most) {
                sum += values[p];
                core++;
            }
        }
        return sum / core;
    }

    /** The smoothed picture without its grey part, RGB from 0 to 1. */
    private static double[][] chroma(float[] pixels, int offset, int size) {
        int count = size * size;
        double[][] chroma = new double[3][count];
        for (int p = 0; p < count; p++) {
            double grey = (pixels[offset + p] + pixels[offset + count + p] + pixels[offset + 2 * count + p]) / 3;
            for (int c = 0; c < 3; c++) {
                chroma[c][p] = (pixels[offset + c * count + p] - grey) / 2;
            }
        }
        for (int c = 0; c < 3; c++) {
            chroma[c] = smoothed(chroma[c], size);
        }
        return chroma;
    }

    /** By 1 2 1 along rows and columns; beyond the edge lies what lies at it. */
    private static double[] smoothed(double[] values, int size) {
        double[] along = new double[values.length];
        double[] out = new double[values.length];
        for (int p = 0; p < values.length; p++) {
            int column = p % size;
            along[p] = (values[column == 0 ? p : p - 1] + 2 * values[p] + values[column == size - 1 ? p : p + 1]) / 4;
        }
        for (int p = 0; p < values.length; p++) {
            out[p] = (along[p < size ? p : p - size] + 2 * along[p] + along[p >= values.length - size ? p : p + size])
                    / 4;
        }
        return out;
    }

    /** The largest of the connected figures, without hues; empty where there is none. */
    private static Optional<ShapeFigure> largest(int size, double[] cover, double[] away) {
        int[] figure = new int[cover.length];
        double largestArea = 0;
        int largest = 0;
        int figures = 0;
        for (int p = 0; p < cover.length; p++) {
            if (figure[p] == 0 && cover[p] > HALF) {
                double area = flood(p, ++figures, size, cover, figure);
                largest = area > largestArea ? figures : largest;
                largestArea = Math.max(area, largestArea);
            }
        }
        if (largest == 0) {
            return Optional.empty();
        }
        double[] own = new double[cover.length];
        int beside = 0;
        double x = 0;
        double y = 0;
        for (int p = 0; p < own.length; p++) {
            if (figure[p] == largest) {
                own[p] = cover[p];
                x += own[p] * ((2 * (p % size) + 1.0) / size - 1);
                y += own[p] * ((2 * (p / size) + 1.0) / size - 1);
            } else if (away[p] > HALF) {
                beside++;
            }
        }
        return Optional.of(new ShapeFigure(
                size,
                own,
                new double[3],
                new double[3],
                largestArea * 4 / (size * size),
                x / largestArea,
                y / largestArea,
                beside / largestArea));
    }

    /** Marks what hangs together with a pixel; its area in pixels. */
    private static double flood(int start, int mark, int size, double[] cover, int[] figure) {
        int[] stack = new int[cover.length];
        int filled = 0;
        double area = 0;
        stack[filled++] = start;
        figure[start] = mark;
        while (filled > 0) {
            int p = stack[--filled];
            area += cover[p];
            int[] beside = {
                p % size == 0 ? p : p - 1,
                p % size == size - 1 ? p : p + 1,
                p < size ? p : p - size,
                p >= cover.length - size ? p : p + size
            };
            for (int next : beside) {
                if (figure[next] == 0 && cover[next] > LEAST_COVER) {
                    figure[next] = mark;
                    stack[filled++] = next;
                }
            }
        }
        return area;
    }

    private static double square(double value) {
        return value * value;
    }
}
