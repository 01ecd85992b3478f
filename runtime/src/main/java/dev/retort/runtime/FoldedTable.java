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

    /** From a line of times, one of where calls at these land if they are told it, and one of labels. */
    static FoldedTable parse(String text) {
        List<Double> times = new ArrayList<>();
        List<Double> ends = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (String line : text.strip().split("\n")) {
            String[] words = line.strip().split("\\s+");
            for (int i = 1; i < words.length; i++) {
                switch (words[0]) {
                    case "times" -> times.add(Double.parseDouble(words[i]));
                    case "ends" -> ends.add(Double.parseDouble(words[i]));
                    case "labels" -> labels.add(Integer.parseInt(words[i]));
                    default ->
                        throw new IllegalArgumentException(
                                "a line begins with '" + words[0] + "', expected times, ends or labels");
                }
            }
        }
        if (times.isEmpty() || labels.isEmpty() || !ends.isEmpty() && ends.size() != times.size()) {
            throw new IllegalArgumentException("it has " + times.size() + " times, " + ends.size() + " ends and "
                    + labels.size() + " labels, expected an end for each time or none");
        }
        List<Moment> moments = new ArrayList<>();
        for (int i = 0; i < times.size(); i++) {
            moments.add(new Moment(times.get(i), ends.isEmpty() ? Double.NaN : ends.get(i)));
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
