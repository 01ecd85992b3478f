package dev.retort.runtime;

import dev.retort.diffusion.Plan;
import java.util.ArrayList;
import java.util.List;

/**
 * The moments and labels at which a folded network can be asked: row = moment · labels + label, by their places here.
 *
 * @param moments in order
 * @param labels in order; the number of classes stands for "no class"
 */
record FoldedTable(List<Moment> moments, List<Integer> labels) {
    /** Of a network that can be asked at any time. */
    static final FoldedTable NONE = new FoldedTable(List.of(), List.of());

    /** Times that differ by less, as a share of the noisiest, are the same: the rounding of fp32. */
    private static final double SAME = 1e-6;

    /**
     * A time and where a call at it lands; NaN where the network is told one time only.
     *
     * @param time in the network's units
     */
    record Moment(double time, double until) {}

    FoldedTable {
        moments = List.copyOf(moments);
        labels = List.copyOf(labels);
    }

    static FoldedTable parse(String text) {
        String[] lines = text.split("\n");
        if (lines.length != 2) {
            throw new IllegalArgumentException("it has " + lines.length + " lines, expected moments and labels");
        }
        List<Moment> moments = new ArrayList<>();
        for (String word : lines[0].strip().split("\\s+")) {
            String[] times = word.split(":");
            moments.add(new Moment(
                    Double.parseDouble(times[0]), times.length > 1 ? Double.parseDouble(times[1]) : Double.NaN));
        }
        List<Integer> labels = new ArrayList<>();
        for (String word : lines[1].strip().split("\\s+")) {
            labels.add(Integer.parseInt(word));
        }
        return new FoldedTable(moments, labels);
    }

    /**
     * The row of a call.
     *
     * @throws IllegalArgumentException where there is none
     */
    long row(Plan.Call call, int label) {
        double time = call.time();
        int at = labels.indexOf(label);
        double noisiest = 0;
        for (Moment moment : moments) {
            noisiest = Math.max(noisiest, Math.abs(moment.time));
        }
        double same = SAME * noisiest;
        double end = Double.isNaN(call.until()) ? time : call.until();
        for (int i = 0; at >= 0 && i < moments.size(); i++) {
            Moment moment = moments.get(i);
            if (Math.abs(moment.time - time) <= same
                    && (Double.isNaN(moment.until) || Math.abs(moment.until - end) <= same)) {
                return (long) i * labels.size() + at;
            }
        }
        throw new IllegalArgumentException("its table has " + moments + " and labels " + labels
                + ", a plan asks at time " + time + " for label " + label);
    }
}
