package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.Part;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Moment;
import dev.retort.sample.Sampler;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A way in which an exported model is sampled.
 *
 * @param steps as they are asked for; a solver may call the network more often
 * @param sampler the network with plan and guidance
 */
record Way(int steps, Sampler sampler) {
    Way {
        requirePlain(sampler);
    }

    /**
     * Refuses what an exported plan has no words for.
     *
     * @throws RetortException of kind USAGE
     */
    static void requirePlain(Sampler sampler) {
        double rescale = sampler.guidance().rescale();
        if (rescale > 0 && sampler.asksTwice()) {
            throw new RetortException(
                            Kind.USAGE,
                            "guidanceRescale is " + rescale
                                    + ", which exported files cannot say; export with 0, or distil the guidance into the"
                                    + " model first")
                    .about("guidanceRescale");
        }
    }

    /** What each step tells the network. */
    List<Moment> moments() {
        return sampler.moments();
    }

    /** The scale of guidance at each step. */
    List<Double> scales() {
        return sampler.plan().steps().stream()
                .map(step -> sampler.guidance().standardScaleAt(step.call().time()))
                .toList();
    }

    /** Whether a step asks with and without a label. */
    boolean asksTwice(int step) {
        return sampler.asksTwice(sampler.plan().steps().get(step).call().time());
    }

    /** Which calls of the network are compared: at most so many, the first and the last among them. */
    List<Integer> some(int most) {
        int count = sampler.plan().steps().size();
        int wanted = Math.min(count, most);
        return IntStream.range(0, wanted)
                .mapToObj(i -> wanted == 1 ? 0 : Math.round((float) i * (count - 1) / (wanted - 1)))
                .toList();
    }

    /** What a step tells of all samples alike, by the name of the network's input. */
    double told(int step, String input) {
        Moment moment = moments().get(step);
        return input.equals("time") ? moment.time() : moment.numbers().get(part(input));
    }

    /** What each sample is told that is no number of a step: a class, or tokens of a text. */
    List<Part> parts() {
        return sampler.network().spec().condition().parts().keySet().stream()
                .filter(part -> part != Part.GUIDANCE && part != Part.END_TIME)
                .toList();
    }

    /** The part of a condition that an input of a file is. */
    static Part part(String input) {
        return Part.valueOf(input.toUpperCase(Locale.ROOT));
    }

    /** The input of a file that is a part of a condition. */
    static String input(Part part) {
        return part.name().toLowerCase(Locale.ROOT);
    }

    /** Which moment of a folded network's table a step is. */
    int momentOf(int step, FoldedDitSpec spec) {
        Moment moment = moments().get(step);
        double end = moment.numbers().getOrDefault(Part.END_TIME, moment.time());
        return spec.moment(moment.time(), end)
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        "step " + step + " calls the network at time " + moment.time()
                                + ", which is not in the table of " + spec.name() + ", " + spec.times()
                                + "; export it as its card says to sample it"));
    }
}
