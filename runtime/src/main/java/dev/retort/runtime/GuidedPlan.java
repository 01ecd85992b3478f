package dev.retort.runtime;

import dev.retort.diffusion.Heads;
import dev.retort.diffusion.Plan;
import java.util.ArrayList;
import java.util.List;

/**
 * A plan and how strongly each of its calls is guided: u + g (c - u), c the output for a class, u the one for none (Ho and Salimans 2022).
 *
 * @param plan steps
 * @param scales the g of each step; 1 where u is not needed
 * @param channels how many leading channels of an output are guided, 0 for all that are no variance
 */
record GuidedPlan(Plan plan, List<Double> scales, int channels) {
    GuidedPlan {
        scales = List.copyOf(scales);
        if (scales.size() != plan.steps().size()) {
            throw new IllegalArgumentException("it has " + scales.size() + " scales, expected one for each of "
                    + plan.steps().size() + " steps");
        }
        if (channels < 0) {
            throw new IllegalArgumentException("it guides " + channels + " channels, expected 0 for all, or more");
        }
    }

    /** From the scales, a slash and the channels: {@code 1.5 1.5 / 0}. */
    static GuidedPlan parse(Plan plan, String text) {
        String[] sides = text.split("/", -1);
        if (sides.length != 2) {
            throw new IllegalArgumentException("'" + text + "', expected scales, a slash and a number of channels");
        }
        List<Double> scales = new ArrayList<>();
        for (String word : sides[0].strip().split("\\s+")) {
            scales.add(Double.parseDouble(word));
        }
        return new GuidedPlan(plan, scales, Integer.parseInt(sides[1].strip()));
    }

    /** Whether a step needs u, of a network that is not told its guidance. */
    boolean asksTwice(int step) {
        return scales.get(step) != 1;
    }

    /** How many parts of as many channels as the network works on an output has at least. */
    int heads() {
        int heads = plan.learnsVariance() ? 2 : 1;
        for (Plan.Step step : plan.steps()) {
            heads = Math.max(heads, step.call().heads().end());
        }
        return heads;
    }

    /** How many leading channels of an output of {@code outputs} are guided, the network working on {@code values}. */
    int guidedChannels(int values, int outputs) {
        if (channels > 0) {
            return channels;
        }
        boolean heads =
                plan.steps().stream().anyMatch(step -> !step.call().heads().equals(Heads.ONLY));
        return heads ? outputs : values;
    }
}
