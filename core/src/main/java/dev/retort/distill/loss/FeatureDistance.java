package dev.retort.distill.loss;

import dev.retort.card.TapPoint;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * How far the features of one place are from those of another of as many channels: the weighted mean over scales of a mean squared
 * difference. At a scale s both are averaged over cells of s by s (pkd.md §4 row 16); averaging takes variance away, more of it the
 * larger the cells, so it is what each scale is normalised by that lets scales count alike. Of different grids the finer is first
 * averaged to the coarser one's rows and columns.
 *
 * @param normalise by what
 * @param outlierStd leave out values further than this many standard deviations from their sample's mean, at each scale, in the one
 *     place or in the other; 0 keeps all
 * @param scales at which they are compared
 */
public record FeatureDistance(Normalise normalise, double outlierStd, List<Scale> scales) {
    /** Keeps a place that says next to nothing from being divided by. */
    private static final double TINY = 1e-6;

    /** What makes differences of places and scales count alike. */
    public enum Normalise {
        /** Nothing: the plain mean squared difference. */
        NONE,
        /** The difference is divided by the teacher's mean square, E‖f_T‖² over a sample. */
        MEAN_SQUARE,
        /** Both get mean 0 and variance 1 over the channels of each cell. */
        LAYER_NORM
    }

    /**
     * A scale.
     *
     * @param cell side of the cells, from 1
     * @param weight what it counts beside the others
     */
    public record Scale(int cell, double weight) {}

    /** Features as they are. */
    public static FeatureDistance plain(Normalise normalise, double outlierStd) {
        return new FeatureDistance(normalise, outlierStd, List.of(new Scale(1, 1)));
    }

    /**
     * Refuses two places on whose common grid a scale leaves a remainder.
     *
     * @throws IllegalArgumentException that opens with {@code pyramid}
     */
    public void requireFit(TapPoint student, TapPoint teacher) {
        int rows = Math.min(student.rows(), teacher.rows());
        int cols = Math.min(student.cols(), teacher.cols());
        for (Scale scale : scales) {
            if (rows % scale.cell != 0 || cols % scale.cell != 0) {
                throw new IllegalArgumentException("pyramid has " + scale.cell + ", which does not divide the " + rows
                        + "x" + cols + " places of " + student.name() + " and " + teacher.name()
                        + "; leave it out, or leave the pair out of map");
            }
        }
    }

    /**
     * The distance of each sample (N), fp32.
     *
     * @param s the student's features in the form of {@code student}, of as many channels as {@code t}
     * @param t the teacher's in the form of {@code teacher}
     */
    Tensor of(Tensor s, TapPoint student, Tensor t, TapPoint teacher) {
        int rows = Math.min(student.rows(), teacher.rows());
        int cols = Math.min(student.cols(), teacher.cols());
        Tensor sum = null;
        double weights = 0;
        for (Scale scale : scales) {
            int high = rows / scale.cell;
            int wide = cols / scale.cell;
            boolean asTheyAre = isOf(student, high, wide) && isOf(teacher, high, wide);
            boolean tokens = asTheyAre && student.form() == TapPoint.Form.TOKENS && teacher.form() == student.form();
            Tensor a = tokens ? Dtype.F32.cast(s) : pooled(s, student, high, wide);
            Tensor b = tokens ? Dtype.F32.cast(t) : pooled(t, teacher, high, wide);
            Tensor distance = Ops.mul(compared(a, b, tokens ? -1 : 1), scale.weight);
            sum = sum == null ? distance : sum.add(distance);
            weights += scale.weight;
        }
        return Ops.mul(sum, 1 / weights);
    }

    private static boolean isOf(TapPoint point, int rows, int cols) {
        return point.rows() == rows && point.cols() == cols;
    }

    /** (N, C, rows, cols). */
    private static Tensor pooled(Tensor x, TapPoint from, int rows, int cols) {
        Tensor map = Taps.map(Dtype.F32.cast(x), from);
        return isOf(from, rows, cols) ? map : Ops.adaptiveAveragePool(map, rows, cols);
    }

    /** @param channels which dimension they are */
    private Tensor compared(Tensor features, Tensor ofTeacher, int channels) {
        boolean norm = normalise == Normalise.LAYER_NORM;
        Tensor s = norm ? normed(features, channels) : features;
        Tensor t = norm ? normed(ofTeacher, channels) : ofTeacher;
        Tensor squared = s.sub(t).square();
        Tensor scale = t.square();
        if (outlierStd > 0) {
            Tensor mask = inliers(s.detach()).mul(inliers(t));
            squared = squared.mul(mask);
            scale = scale.mul(mask);
        }
        Tensor mean = Ops.meanPerSample(squared);
        return normalise == Normalise.MEAN_SQUARE ? mean.div(Ops.add(Ops.meanPerSample(scale), TINY)) : mean;
    }

    private static Tensor normed(Tensor x, int channels) {
        return Ops.layerNorm(channels < 0 ? x : Ops.permute(x, 0, 2, 3, 1), TINY);
    }

    /** 1 where a value is within {@code outlierStd} standard deviations of its sample's mean, else 0. */
    private Tensor inliers(Tensor x) {
        Tensor flat = x.reshape(x.size(0), -1);
        Tensor centred = flat.sub(Ops.mean(flat, 1, true));
        Tensor variance = Ops.mean(centred.square(), 1, true);
        Tensor inside = Ops.mul(variance, outlierStd * outlierStd).sub(centred.square());
        return Dtype.F32.cast(Ops.greater(inside, 0)).view_as(x);
    }
}
