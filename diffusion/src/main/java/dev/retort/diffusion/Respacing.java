package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * DiT's and guided-diffusion's respacing strings (dit.md 3). "a,b,c" cuts T times into equal sections and takes a, b, c evenly spaced
 * times from them, first and last included; "N" is one section; "ddimN" takes every (T/N)-th time from 0.
 */
public final class Respacing {
    private Respacing() {}

    /**
     * The times of a respacing string, ascending.
     *
     * @param spec "250", "10,10,10" or "ddim50"
     * @param total the number of times T of the schedule
     * @throws IllegalArgumentException if the string cannot be read or asks for more times than there are
     */
    public static int[] times(String spec, int total) {
        return spec.startsWith("ddim") ? strided(spec, total) : sections(spec, total);
    }

    private static int[] strided(String spec, int total) {
        int wanted = count(spec, spec.substring(4));
        for (int stride = 1; stride < total; stride++) {
            if ((total + stride - 1) / stride == wanted) {
                int[] times = new int[wanted];
                for (int i = 0; i < wanted; i++) {
                    times[i] = i * stride;
                }
                return times;
            }
        }
        throw new IllegalArgumentException("the respacing \"" + spec + "\" asks for " + wanted + " of " + total
                + " times, which no whole stride gives; expected for example ddim50, or plain \"" + wanted + "\"");
    }

    private static int[] sections(String spec, int total) {
        String[] parts = spec.split(",", -1);
        int size = total / parts.length;
        int extra = total % parts.length;
        // A set, because sections whose strides round to the same time share it.
        TreeSet<Integer> times = new TreeSet<>();
        int start = 0;
        for (int i = 0; i < parts.length; i++) {
            int length = size + (i < extra ? 1 : 0);
            times.addAll(section(spec, start, length, count(spec, parts[i])));
            start += length;
        }
        return times.stream().mapToInt(Integer::intValue).toArray();
    }

    private static List<Integer> section(String spec, int start, int length, int count) {
        if (length < count) {
            throw new IllegalArgumentException("the respacing \"" + spec + "\" asks for " + count
                    + " times of a section of " + length + "; expected at most " + length);
        }
        double stride = count <= 1 ? 1 : (double) (length - 1) / (count - 1);
        // The position is accumulated, not multiplied: the lists of published checkpoints depend on its rounding
        // errors.
        double position = 0;
        List<Integer> times = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            times.add(start + (int) Math.rint(position));
            position += stride;
        }
        return times;
    }

    private static int count(String spec, String text) {
        try {
            int count = Integer.parseInt(text.strip());
            if (count >= 1) {
                return count;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one sentence below.
        }
        throw new IllegalArgumentException("the respacing is \"" + spec
                + "\"; expected whole numbers of at least 1 such as \"250\", \"10,20,30\" or \"ddim50\"");
    }
}
