package dev.retort.evaluate;

import dev.retort.report.Measure;
import dev.retort.report.Measure.Better;
import dev.retort.report.Unit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a way of sampling costs, measured in a process of its own.
 *
 * @param parameters values in the network
 * @param macs multiply-accumulates of one network call for one image
 * @param networkCalls calls for one image, guidance counted
 * @param secondsPerImage median over the rounds, wall clock, in the batch of the measurement
 * @param speedUp median over the rounds of the first candidate's time over this one's, both measured in turn
 * @param peakBytes peak resident memory above that of a process which draws with a network of next to no weights
 */
public record Cost(
        long parameters, long macs, int networkCalls, double secondsPerImage, double speedUp, long peakBytes) {
    /** Times as fast as the first candidate. */
    public static final Measure SPEED_UP = new Measure(
            "Speed beside teacher",
            Measure.COST,
            Unit.SCORE,
            Better.HIGHER,
            "median over rounds of the ratio of images a second, measured in turn");
    /** Multiply-accumulates from noise to pixels. */
    public static final Measure MACS_PER_IMAGE = new Measure(
            "MACs per image", Measure.COST, Unit.COUNT, Better.LOWER, "multiply-accumulates of all network calls");

    /** Images a second. */
    public double imagesPerSecond() {
        return 1 / secondsPerImage;
    }

    /** Rows of a report for a candidate that nobody measured: what its card tells. */
    static Map<Measure, Double> unmeasured(Candidate candidate) {
        return counted(candidate.parameters(), candidate.card().network().macs(), candidate.networkCalls());
    }

    private static Map<Measure, Double> counted(long parameters, long macs, int networkCalls) {
        Map<Measure, Double> rows = new LinkedHashMap<>();
        rows.put(Measure.PARAMETERS, (double) parameters);
        rows.put(Measure.MACS, (double) macs);
        rows.put(Measure.NETWORK_CALLS, (double) networkCalls);
        rows.put(MACS_PER_IMAGE, (double) macs * networkCalls);
        return rows;
    }

    /** Rows of a report. */
    public Map<Measure, Double> measures() {
        Map<Measure, Double> rows = counted(parameters, macs, networkCalls);
        rows.put(Measure.SECONDS_PER_IMAGE, secondsPerImage);
        rows.put(Measure.IMAGES_PER_SECOND, imagesPerSecond());
        rows.put(SPEED_UP, speedUp);
        rows.put(Measure.PEAK_MEMORY, (double) peakBytes);
        return rows;
    }
}
