package dev.retort.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Maps values of one axis to pixels and chooses round ticks.
 *
 * @param low smallest value, in data units
 * @param high largest value, in data units
 * @param log whether the axis is logarithmic
 * @param from pixel of {@code low}
 * @param to pixel of {@code high}
 */
record Axis(double low, double high, boolean log, double from, double to) {
    /** An axis that covers the values, with some room around them; {@code widen} rounds it to whole ticks. */
    static Axis covering(double low, double high, boolean log, boolean widen, double from, double to) {
        if (!(low <= high)) {
            return new Axis(log ? 0.1 : 0, 1, log, from, to); // nothing to draw
        }
        if (log) {
            double room = low == high ? 2 : Math.pow(high / low, 0.04); // so that no curve lies on the frame
            return new Axis(low / room, high * room, true, from, to);
        }
        if (low == high) {
            double room = low == 0 ? 1 : Math.abs(low) / 2;
            return new Axis(low - room, high + room, false, from, to);
        }
        if (!widen) {
            boolean fromZero = low > 0 && low < 0.1 * high;
            return new Axis(fromZero ? 0 : low, high, false, from, to);
        }
        double step = step(high - low);
        return new Axis(Math.floor(low / step) * step, Math.ceil(high / step) * step, false, from, to);
    }

    double pixel(double value) {
        double share = log
                ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
                : (value - low) / (high - low);
        return from + share * (to - from);
    }

    /** Round values within the axis: about five. */
    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (log) {
            double decades = Math.log10(high / low);
            double[] mantissas = decades < 1.2
                    ? new double[] {1, 2, 3, 5}
                    : decades < 2.5 ? new double[] {1, 2, 5} : new double[] {1};
            int every = (int) Math.max(1, Math.ceil(decades / 6));
            for (int e = (int) Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += every) {
                for (double mantissa : mantissas) {
                    double tick = mantissa * Math.pow(10, e);
                    if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) {
                        ticks.add(tick);
                    }
                }
            }
        } else {
            double step = step(high - low);
            for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
                ticks.add(i * step);
            }
        }
        return ticks;
    }

    /** A tick in few characters: {@code 250k}, {@code 0.02}, {@code 1e-6}. */
    static String label(double tick) {
        double size = Math.abs(tick);
        if (size >= 1e9 || size > 0 && size < 1e-4) {
            return String.format(Locale.ROOT, "%.0e", tick).replace("e-0", "e-").replace("e+0", "e");
        }
        if (size >= 1e6) {
            return plain(tick / 1e6) + "M";
        }
        return size >= 1e4 ? plain(tick / 1e3) + "k" : plain(tick);
    }

    private static String plain(double value) {
        String text = String.format(Locale.ROOT, "%.6f", value);
        return text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }

    private static double step(double range) {
        double power = Math.pow(10, Math.floor(Math.log10(range / 4)));
        for (double mantissa : new double[] {1, 2, 2.5, 5}) {
            if (range / (mantissa * power) <= 5.5) {
                return mantissa * power;
            }
        }
        return 10 * power;
    }
}
