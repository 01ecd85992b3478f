package dev.retort.export;

import static dev.retort.export.TorchScriptOps.call;
import static dev.retort.export.TorchScriptOps.number;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Heads;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.graph.Graph;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The method {@code sample} in TorchScript: what {@link Plan} says an executor does. The loop over the steps stands once, however
 * many they are; what differs from step to step is a list of numbers.
 */
final class SampleMethod {
    private final Plan plan;
    private final StepLoop steps;
    private final NetworkCall network;

    private SampleMethod(TorchScriptPlan sampling, Graph graph) {
        plan = sampling.plan();
        steps = new StepLoop(plan.steps());
        network = new NetworkCall(sampling, graph, steps);
    }

    /**
     * Writes.
     *
     * @param graph of the network: inputs {@code x}, {@code time}, {@code label} and, where it is told them, {@code guidance} and
     *     {@code end_time}; its first output is the answer
     * @throws IllegalArgumentException naming an input that no plan gives, or clamps of several kinds
     */
    static String of(TorchScriptPlan sampling, Graph graph) {
        return new SampleMethod(sampling, graph).text();
    }

    private String text() {
        List<String> arguments = new ArrayList<>(List.of("noise"));
        if (network.takesLabel()) {
            arguments.add("label");
        }
        for (Combination.Source source : Combination.Source.values()) {
            steps.before(list(source) + " = []");
        }
        steps.before("x = " + call("mul", "noise", number(plan.startScale())));
        steps.each(
                "given = " + call("mul", "x", steps.number(step -> step.call().inputScale())));
        network.write();
        predict();
        clamp();
        remember(Combination.Source.STATE, "x");
        remember(Combination.Source.OUTPUT, "output");
        remember(Combination.Source.X0, "x0");
        if (plan.steps().stream().anyMatch(Plan.Step::refines)) {
            combine("refined", Plan.Step::refined);
            steps.each(list(Combination.Source.STATE) + "[-1] = refined");
        }
        combine("x", Plan.Step::next);
        if (plan.addsNoise()) {
            steps.before("drawn = 0");
            addNoise();
        }
        return ForwardMethod.head("sample", arguments, plan.addsNoise() ? ", noises: List[Tensor]" : "", "Tensor")
                + steps.text() + StepLoop.INDENT + "return x\n";
    }

    /** The prediction in the answer, a sum of heads where there are several, and the clean sample that follows from it. */
    private void predict() {
        List<Heads> heads =
                plan.steps().stream().map(step -> step.call().heads()).toList();
        int first = heads.stream().mapToInt(Heads::first).min().orElseThrow();
        int end = heads.stream().mapToInt(Heads::end).max().orElseThrow();
        for (int head = first; head < end; head++) {
            int which = head;
            String factor = steps.number(step -> step.call().heads().factor(which));
            String sum = head == first
                    ? call("mul", channels(head), factor)
                    : call("add", "output", channels(head), "alpha=" + factor);
            steps.each("output = " + sum);
        }
        String state = call("mul", "x", steps.number(step -> step.call().x0FromState()));
        String factor = steps.number(step -> step.call().x0FromOutput());
        steps.each("x0 = " + call("add", state, "output", "alpha=" + factor));
    }

    /** As many channels of the answer as the state has. */
    private String channels(int which) {
        long channels = network.channels();
        return call("slice", "answer", "1", Long.toString(which * channels), Long.toString((which + 1) * channels));
    }

    private void clamp() {
        List<Clamp> clamps = plan.steps().stream()
                .map(step -> step.call().clamp())
                .filter(clamp -> !clamp.equals(Clamp.NONE))
                .distinct()
                .toList();
        if (clamps.size() > 1) {
            throw new IllegalArgumentException(
                    "the plan of " + plan.solver() + " clamps by " + clamps + ", expected one way");
        }
        for (Clamp clamp : clamps) {
            String indent = steps.when(step -> step.call().clamp().equals(Clamp.NONE) ? 0 : 1);
            if (clamp instanceof Clamp.Range range) {
                steps.each(indent + "x0 = " + call("clamp", "x0", number(-range.limit()), number(range.limit())));
            } else if (clamp instanceof Clamp.Dynamic dynamic) {
                String size = call("abs", call("flatten", "x0", "1"));
                String quantile = call("quantile", size, number(dynamic.quantile()), "1");
                String limit = call("clamp", quantile, "1.0", number(dynamic.max()));
                steps.each(indent + "limit = " + call("reshape", limit, "[-1, 1, 1, 1]"));
                steps.each(indent + "x0 = " + call("div", call("clamp", "x0", "-limit", "limit"), "limit"));
            }
        }
    }

    private void remember(Combination.Source source, String value) {
        int depth = plan.depth(source);
        if (depth > 0) {
            String older = depth == 1 ? "" : list(source) + "[-" + (depth - 1) + ":] + ";
            steps.each(list(source) + " = " + older + "[" + value + "]");
        }
    }

    /** What is remembered of a kind, the latest at the end. */
    private static String list(Combination.Source source) {
        return source.name().toLowerCase(Locale.ROOT) + "s";
    }

    /** A linear combination of what is remembered; where a coefficient is 0, there may be nothing yet. */
    private void combine(String result, Function<Plan.Step, Combination> which) {
        steps.each(result + " = " + call("zeros_like", "x0"));
        plan.steps().stream()
                .flatMap(step -> which.apply(step).terms().stream())
                .map(term -> new Combination.Term(term.source(), term.lag(), 1))
                .distinct()
                .forEach(term -> {
                    ToDoubleFunction<Plan.Step> coefficient =
                            step -> which.apply(step).coefficient(term.source(), term.lag());
                    String value = list(term.source()) + "[" + (-1 - term.lag()) + "]";
                    String indent = steps.when(coefficient);
                    steps.each(
                            indent + result + " = " + call("add", result, value, "alpha=" + steps.number(coefficient)));
                });
    }

    private void addNoise() {
        ToDoubleFunction<Plan.Step> fixed = step -> step.noise() instanceof NoiseScale.Fixed noise ? noise.scale() : 0;
        if (plan.steps().stream().anyMatch(step -> fixed.applyAsDouble(step) != 0)) {
            String indent = steps.when(fixed);
            steps.each(indent + "x = " + call("add", "x", "noises[drawn]", "alpha=" + steps.number(fixed)));
            steps.each(indent + "drawn = drawn + 1");
        }
        if (plan.learnsVariance()) { // exp(0.5 (f logBeta + (1 - f) logBetaTilde)), f = (v + 1) / 2
            String indent = steps.when(range(noise -> 1));
            String slope = steps.number(range(noise -> (noise.logBeta() - noise.logBetaTilde()) / 4));
            String middle = steps.number(range(noise -> (noise.logBeta() + noise.logBetaTilde()) / 4));
            String log = call("add", call("mul", channels(1), slope), middle);
            steps.each(indent + "x = " + call("addcmul", "x", call("exp", log), "noises[drawn]"));
            steps.each(indent + "drawn = drawn + 1");
        }
    }

    private static ToDoubleFunction<Plan.Step> range(ToDoubleFunction<NoiseScale.LearnedRange> number) {
        return step -> step.noise() instanceof NoiseScale.LearnedRange noise ? number.applyAsDouble(noise) : 0;
    }
}
