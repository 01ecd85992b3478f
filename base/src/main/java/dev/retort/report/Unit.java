package dev.retort.report;

import java.util.Locale;

/** How a measured value is printed, so that the terminal, the page and a person's eye see the same digits. */
public enum Unit {
    /** A count, in thousands, millions or billions: {@code 10.2 M}. */
    COUNT,
    /** Seconds, in the unit that reads well: {@code 12.3 ms}. */
    SECONDS,
    /** Things a second: {@code 41.2 /s}. */
    PER_SECOND,
    /** Bytes, in powers of 1024: {@code 310 MiB}. */
    BYTES,
    /** A share of one: {@code 92.4 %}. */
    PERCENT,
    /** A score without a unit, four significant digits. */
    SCORE;

    /** The value with its unit; {@code n/a} when it is not a number. */
    public String format(double value) {
        if (Double.isNaN(value)) {
            return "n/a";
        }
        return switch (this) {
            case COUNT -> scaled(value, 1000, "", " k", " M", " G", " T");
            case BYTES -> scaled(value, 1024, " B", " KiB", " MiB", " GiB", " TiB");
            case SECONDS -> seconds(value);
            case PER_SECOND -> significant(value, 3) + " /s";
            case PERCENT -> String.format(Locale.ROOT, "%.1f %%", 100 * value);
            case SCORE -> significant(value, 4);
        };
    }

    private static String seconds(double value) {
        double size = Math.abs(value);
        if (size >= 1) {
            return significant(value, 3) + " s";
        }
        return size >= 1e-3 ? significant(value * 1e3, 3) + " ms" : significant(value * 1e6, 3) + " µs";
    }

    private static String scaled(double value, double base, String... suffixes) {
        double rest = value;
        int power = 0;
        while (Math.abs(rest) >= base && power < suffixes.length - 1) {
            rest /= base;
            power++;
        }
        boolean whole = power == 0 && rest == Math.rint(rest);
        return (whole ? String.format(Locale.ROOT, "%.0f", rest) : significant(rest, 3)) + suffixes[power];
    }

    /** Plain decimals with that many significant digits; scientific only where plain would mislead. */
    static String significant(double value, int digits) {
        double size = Math.abs(value);
        if (value == 0) {
            return "0";
        }
        if (Double.isInfinite(value) || size < 1e-4 || size >= 1e7) {
            return String.format(Locale.ROOT, "%." + (digits - 1) + "e", value);
        }
        int decimals = digits - 1 - (int) Math.floor(Math.log10(size));
        return String.format(Locale.ROOT, "%." + Math.max(0, decimals) + "f", value);
    }
}
