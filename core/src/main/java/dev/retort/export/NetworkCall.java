package dev.retort.export;

import static dev.retort.export.TorchScriptOps.call;

import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The call of {@code forward} in a step of {@link SampleMethod}: {@code answer} to {@code given}, guided where guidance acts. */
final class NetworkCall {
    private final TorchScriptPlan sampling;
    private final Graph graph;
    private final StepLoop steps;
    private final List<String> inputs;

    NetworkCall(TorchScriptPlan sampling, Graph graph, StepLoop steps) {
        this.sampling = sampling;
        this.graph = graph;
        this.steps = steps;
        inputs = graph.inputs().stream().map(Value::name).toList();
        if (!inputs.contains("x")) {
            throw new IllegalArgumentException("the graph has inputs " + inputs + ", expected x among them");
        }
    }

    /** Whether the network is told a class. */
    boolean takesLabel() {
        return inputs.contains("label");
    }

    /** Channels of the state. */
    long channels() {
        return graph.inputs().get(inputs.indexOf("x")).shape().size(1).whole();
    }

    void write() {
        List<Plan.Step> plan = sampling.plan().steps();
        if (inputs.contains("guidance") || plan.stream().noneMatch(this::guided)) {
            steps.each("answer = " + forward("label"));
        } else if (plan.stream().allMatch(this::guided)) {
            guided("");
        } else {
            steps.each("if " + steps.number(scale()) + " == 1.0:");
            steps.each(StepLoop.INDENT + "answer = " + forward("label"));
            steps.each("else:");
            guided(StepLoop.INDENT);
        }
    }

    private boolean guided(Plan.Step step) {
        return sampling.guidance().actsAt(step.call().time());
    }

    private ToDoubleFunction<Plan.Step> scale() {
        return step -> sampling.guidance().standardScaleAt(step.call().time());
    }

    /** u + g(c - u) on the channels that are guided, from one call of twice as many samples: with a class, then without. */
    private void guided(String indent) {
        String nothing = call("full_like", "label", Long.toString(sampling.noClass()));
        steps.each(indent + "given = " + call("cat", "[given, given]"));
        String both = forward(call("cat", "[label, " + nothing + "]"));
        String channels = Long.toString(guidedChannels());
        steps.each(indent + "conditional, free = torch.chunk(" + both + ", 2)");
        steps.each(indent + "free = " + call("slice", "free", "1", "0", channels));
        String difference = call("sub", call("slice", "conditional", "1", "0", channels), "free");
        String guided = call("add", "free", difference, "alpha=" + steps.number(scale()));
        String others = call("slice", "conditional", "1", channels);
        steps.each(indent + "answer = " + call("cat", "[" + guided + ", " + others + "]", "1"));
    }

    /** Of the channels that the plan reads a prediction from; those behind carry variance. */
    private long guidedChannels() {
        int heads = sampling.plan().steps().stream()
                .mapToInt(step -> step.call().heads().end())
                .max()
                .orElseThrow();
        Guidance guidance = sampling.guidance();
        return guidance.guidedChannels(Math.toIntExact(heads * channels()));
    }

    /** The graph's inputs in order. */
    private String forward(String label) {
        List<String> arguments = new ArrayList<>();
        for (String input : inputs) {
            arguments.add(
                    switch (input) {
                        case "x" -> "given";
                        case "label" -> label;
                        case "time" -> each(step -> step.call().time());
                        case "guidance" -> each(scale());
                        case "end_time" -> each(NetworkCall::end);
                        default ->
                            throw new IllegalArgumentException("the graph has an input " + input
                                    + ", which no plan gives; expected x, time, label, guidance and end_time");
                    });
        }
        String answer = "self." + ForwardMethod.NAME + "(" + String.join(", ", arguments) + ")";
        return graph.outputs().size() == 1 ? answer : answer + "[0]";
    }

    /** A number of the step, told of each sample. */
    private String each(ToDoubleFunction<Plan.Step> number) {
        return call("new_full", "given", "[" + call("size", "given", "0") + "]", steps.number(number));
    }

    /** The time itself where the solver does not say where a call lands. */
    private static double end(Plan.Step step) {
        double until = step.call().until();
        return Double.isNaN(until) ? step.call().time() : until;
    }
}
