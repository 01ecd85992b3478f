package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A diffusion transformer of few steps that is asked at a few times and labels alone: what it computes of these only, the
 * modulation of every layer, is a table in its file, where others have the products that make it and the embedders before
 * them, a third of their weights. It can be sampled, not trained.
 *
 * @param unfolded the network that the table was computed of
 * @param times at which it can be asked, in the network's units
 * @param ends where a call at each of these times lands; empty where the network is told one time only
 * @param labels that it can be told; the number of classes stands for "no class"
 */
public record FoldedDitSpec(DitSpec unfolded, List<Double> times, List<Double> ends, List<Integer> labels)
        implements NetworkSpec {
    /** Times that differ by less, as a share of the noisiest, are the same: the rounding of fp32. */
    private static final double SAME = 1e-6;

    /** Validates. */
    public FoldedDitSpec {
        Require.that(unfolded != null, "unfolded", "null", "the network that it was folded from");
        Require.notEmpty("times", times);
        Require.notEmpty("labels", labels);
        int wanted = unfolded.scalars().hasEndTime() ? times.size() : 0;
        Require.that(
                ends != null && ends.size() == wanted, "ends", ends, wanted + " of them, one for each time it is told");
        int most = unfolded.classes() - (unfolded.hasNullClass() ? 0 : 1);
        Require.that(
                labels.stream().allMatch(label -> label >= 0 && label <= most), "labels", labels, "from 0 to " + most);
        Require.that(!unfolded.scalars().guidance(), "unfolded", unfolded.name(), "a network not told its guidance");
        times = List.copyOf(times);
        ends = List.copyOf(ends);
        labels = List.copyOf(labels);
    }

    /**
     * Which of its times a call is at.
     *
     * @param end where the call lands; not looked at where the network is told one time only
     * @return nothing where the table has no such time
     */
    public OptionalInt moment(double time, double end) {
        double same =
                SAME * times.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        return IntStream.range(0, times.size())
                .filter(i -> Math.abs(times.get(i) - time) <= same)
                .filter(i -> ends.isEmpty() || Math.abs(ends.get(i) - end) <= same)
                .findFirst();
    }

    /** Rows of each layer's table: every label at the first time, then at the next. */
    public int rows() {
        return times.size() * labels.size();
    }

    @Override
    public boolean folded() {
        return true;
    }

    @Override
    public String name() {
        return unfolded.name() + " folded";
    }

    @Override
    public FoldedDitSpec withSize(int height, int width) {
        unfolded.withSize(height, width);
        return this;
    }

    @Override
    public int channels() {
        return unfolded.channels();
    }

    @Override
    public int height() {
        return unfolded.height();
    }

    @Override
    public int width() {
        return unfolded.width();
    }

    /** That of the network it was folded from, of whose labels it may know some alone. */
    @Override
    public ConditionSpec condition() {
        return unfolded.condition();
    }

    @Override
    public ScalarInputs scalars() {
        return unfolded.scalars();
    }

    @Override
    public int outputs() {
        return unfolded.outputs();
    }

    @Override
    public boolean learnSigma() {
        return unfolded.learnSigma();
    }

    /** The values of the table count as well, though nothing trains them. */
    @Override
    public long parameters() {
        long width = unfolded.hidden();
        return unfolded.parameters()
                - unfolded.modulationParameters()
                + rows() * width * ((long) unfolded.depth() * DitSpec.BLOCK_PARTS + DitSpec.LAST_PARTS);
    }

    @Override
    public long macs() {
        return unfolded.macs() - unfolded.modulationMacs();
    }

    @Override
    public String parts() {
        return unfolded.parts() + ", modulations of " + times.size() + (times.size() == 1 ? " time" : " times")
                + " and " + labels.size() + (labels.size() == 1 ? " label" : " labels");
    }

    @Override
    public List<TapPoint> taps() {
        return unfolded.taps();
    }
}
