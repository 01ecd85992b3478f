package dev.retort.quantize;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the inputs of one layer are like at each time; several threads may add to it. */
final class LayerInputs {
    private static final int ROWS_KEPT = 48;

    /** At one time. */
    private static final class AtTime {
        final float[] largest;
        final double[] squares;
        long rows;
        float low;
        float high;
        final float[] some;
        int kept;

        AtTime(int width) {
            largest = new float[width];
            squares = new double[width];
            some = new float[ROWS_KEPT * width];
        }
    }

    private final Map<Double, AtTime> atTimes = new LinkedHashMap<>();

    /** Adds rows of inputs, of the given width, met at a time. */
    synchronized void add(double time, float[] rows, int width) {
        AtTime at = atTimes.computeIfAbsent(time, absent -> new AtTime(width));
        int count = rows.length / width;
        int step = Math.max(1, count * 4 / ROWS_KEPT); // rows of several batches are kept
        for (int row = 0; row < count; row++) {
            for (int i = 0; i < width; i++) {
                float value = rows[row * width + i];
                at.largest[i] = Math.max(at.largest[i], Math.abs(value));
                at.squares[i] += (double) value * value;
                at.low = Math.min(at.low, value);
                at.high = Math.max(at.high, value);
            }
            if (row % step == 0 && at.kept < ROWS_KEPT) {
                System.arraycopy(rows, row * width, at.some, at.kept++ * width, width);
            }
        }
        at.rows += count;
    }

    /** The times, in the order in which they were met first. */
    synchronized List<Double> times() {
        return List.copyOf(atTimes.keySet());
    }

    /** The largest magnitude of each channel, at any time. */
    synchronized float[] largest() {
        Collection<AtTime> all = atTimes.values();
        float[] largest = new float[width()];
        all.forEach(at ->
                IntStream.range(0, largest.length).forEach(i -> largest[i] = Math.max(largest[i], at.largest[i])));
        return largest;
    }

    /** The mean square of each channel, over all times. */
    synchronized float[] meanSquares() {
        float[] mean = new float[width()];
        long rows = atTimes.values().stream().mapToLong(at -> at.rows).sum();
        for (AtTime at : atTimes.values()) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += (float) (at.squares[i] / rows);
            }
        }
        return mean;
    }

    private int width() {
        return atTimes.values().iterator().next().largest.length;
    }

    /**
     * The range of each time: one for each, or, where there are more times than {@code most}, one for each run of them.
     *
     * @param heed as {@link InputRange#search} has it
     */
    synchronized List<InputRange> ranges(int most, float[] heed) {
        List<AtTime> all = List.copyOf(atTimes.values());
        int runs = Math.min(most, all.size());
        InputRange[] ranges = new InputRange[all.size()];
        for (int run = 0; run < runs; run++) {
            int from = run * all.size() / runs;
            int to = (run + 1) * all.size() / runs;
            List<AtTime> mine = all.subList(from, to);
            float low = (float) mine.stream().mapToDouble(at -> at.low).min().orElseThrow();
            float high = (float) mine.stream().mapToDouble(at -> at.high).max().orElseThrow();
            Arrays.fill(ranges, from, to, InputRange.search(low, high, some(mine), heed));
        }
        return List.of(ranges);
    }

    private static float[] some(List<AtTime> times) {
        int width = times.get(0).largest.length;
        float[] all = new float[times.stream().mapToInt(at -> at.kept).sum() * width];
        int at = 0;
        for (AtTime time : times) {
            System.arraycopy(time.some, 0, all, at, time.kept * width);
            at += time.kept * width;
        }
        return all;
    }
}
