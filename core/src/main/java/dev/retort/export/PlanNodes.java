package dev.retort.export;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Heads;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxOp;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;

/** The arithmetic of a {@link Plan} as nodes of an ONNX model: the same as {@link dev.retort.sample.PlanExecutor} computes, step by step. */
final class PlanNodes {
    /** What a plan calls and draws. */
    interface Calls {
        /** What the network returns of a scaled state (N, outputs, H, W). */
        String network(int step, String input);

        /** Unit noise of the state's shape. */
        String noise(int step);
    }

    private final OnnxBuilder builder;
    private final Plan plan;
    private final int channels;
    private final int outChannels;
    private final int values;
    private final Map<Combination.Source, ArrayDeque<String>> history = new EnumMap<>(Combination.Source.class);

    /**
     * @param channels of a state
     * @param outChannels of what the network returns
     * @param values of one state
     */
    PlanNodes(OnnxBuilder builder, Plan plan, int channels, int outChannels, int values) {
        this.builder = builder;
        this.plan = plan;
        this.channels = channels;
        this.outChannels = outChannels;
        this.values = values;
        for (Combination.Source source : Combination.Source.values()) {
            history.put(source, new ArrayDeque<>());
        }
    }

    /** From unit noise (N, C, H, W) to the last state. */
    String all(String noise, Calls calls) {
        builder.label("start");
        String x = times(noise, plan.startScale());
        for (int k = 0; k < plan.steps().size(); k++) {
            builder.label("step." + k);
            Plan.Step step = plan.steps().get(k);
            String output = calls.network(k, times(x, step.call().inputScale()));
            builder.label("step." + k);
            String mean = mean(output, step.call().heads());
            remember(Combination.Source.STATE, x);
            remember(Combination.Source.OUTPUT, mean);
            if (plan.depth(Combination.Source.X0) > 0) {
                remember(Combination.Source.X0, x0(step.call(), x, mean));
            }
            if (step.refines()) {
                String refined = combined(step.refined());
                history.get(Combination.Source.STATE).pop();
                history.get(Combination.Source.STATE).push(refined);
            }
            x = noised(combined(step.next()), step.noise(), output, k, calls);
        }
        return x;
    }

    private void remember(Combination.Source source, String value) {
        history.get(source).push(value);
    }

    private String mean(String output, Heads heads) {
        if (heads.equals(Heads.ONLY)) {
            return channels == outChannels ? output : part(output, 0);
        }
        String sum = null;
        for (int head = heads.first(); head < heads.end(); head++) {
            sum = plus(sum, part(output, head), heads.factor(head));
        }
        return sum;
    }

    /** Channels of one head, or of the variance behind the prediction. */
    private String part(String output, int index) {
        return builder.add(
                OnnxOp.SLICE,
                output,
                builder.wholes((long) index * channels),
                builder.wholes((index + 1L) * channels),
                builder.wholes(1));
    }

    private String x0(Plan.Call call, String x, String mean) {
        String x0 = plus(plus(null, x, call.x0FromState()), mean, call.x0FromOutput());
        if (call.clamp() instanceof Clamp.Range range) {
            return builder.add(OnnxOp.CLIP, x0, builder.number(-range.limit()), builder.number(range.limit()));
        }
        return call.clamp() instanceof Clamp.Dynamic dynamic ? rescaled(x0, dynamic) : x0;
    }

    /** A quantile of |x0| of each sample, between its two neighbours in order of size, bounds x0 and divides it. */
    private String rescaled(String x0, Clamp.Dynamic clamp) {
        double place = clamp.quantile() * (values - 1);
        int low = (int) Math.floor(place);
        int high = Math.min(low + 1, values - 1);
        String sizes = builder.add(OnnxOp.RESHAPE, builder.add(OnnxOp.ABS, x0), builder.wholes(0, -1));
        String largest = builder.add(
                        2,
                        OnnxOp.TOP_K,
                        Map.of("axis", 1L, "largest", 1L, "sorted", 1L),
                        sizes,
                        builder.wholes(values - low))
                .get(0);
        String atLow = builder.add(OnnxOp.GATHER, Map.of("axis", 1L), largest, builder.wholes(values - 1 - low));
        String atHigh = builder.add(OnnxOp.GATHER, Map.of("axis", 1L), largest, builder.wholes(values - 1 - high));
        String quantile = plus(plus(null, atLow, 1 - (place - low)), atHigh, place - low);
        String s = builder.add(
                OnnxOp.RESHAPE,
                builder.add(OnnxOp.CLIP, quantile, builder.number(1), builder.number(clamp.max())),
                builder.wholes(-1, 1, 1, 1));
        // min(max(x, -s), s) / s, s being a value of each sample, which Clip does not take
        return builder.add(OnnxOp.CLIP, builder.add(OnnxOp.DIV, x0, s), builder.number(-1), builder.number(1));
    }

    private String combined(Combination combination) {
        String sum = null;
        for (Combination.Term term : combination.terms()) {
            Iterator<String> newestFirst = history.get(term.source()).iterator();
            String value = newestFirst.next();
            for (int lag = 0; lag < term.lag(); lag++) {
                value = newestFirst.next();
            }
            sum = plus(sum, value, term.coefficient());
        }
        if (sum == null) {
            throw new IllegalStateException("a step combines nothing");
        }
        return sum;
    }

    private String noised(String next, NoiseScale scale, String output, int step, Calls calls) {
        if (scale instanceof NoiseScale.Fixed fixed) {
            return plus(next, calls.noise(step), fixed.scale());
        }
        if (scale instanceof NoiseScale.LearnedRange range) {
            // exp(0.5 (f logBeta + (1 - f) logBetaTilde)), f = (v + 1) / 2
            String slope = times(part(output, 1), (range.logBeta() - range.logBetaTilde()) / 4);
            String log = builder.add(
                    OnnxOp.ADD, slope, builder.number((range.logBeta() + range.logBetaTilde()) / 4));
            String factor = builder.add(OnnxOp.EXP, log);
            return builder.add(OnnxOp.ADD, next, builder.add(OnnxOp.MUL, factor, calls.noise(step)));
        }
        return next;
    }

    private String times(String x, double factor) {
        return factor == 1 ? x : builder.add(OnnxOp.MUL, x, builder.number(factor));
    }

    private String plus(String sum, String x, double factor) {
        return sum == null ? times(x, factor) : builder.add(OnnxOp.ADD, sum, times(x, factor));
    }
}
