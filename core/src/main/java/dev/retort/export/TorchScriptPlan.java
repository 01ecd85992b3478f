package dev.retort.export;

import static dev.retort.export.TorchScriptSource.call;
import static dev.retort.export.TorchScriptSource.number;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The method {@code sample(noise, label)} in TorchScript: a plan's arithmetic around {@code forward}, from unit noise (N, C, H, W)
 * to samples of that shape. A plan that adds noise takes a further argument, {@code noises}: unit noise of the same shape for
 * each step that adds any, in order. The loop over the steps stands once, however many they are; what differs from step to step
 * is a list of numbers.
 *
 * @param plan what is done, step by step
 * @param guidance classifier-free guidance; where it acts, {@code forward} is asked of twice as many samples
 * @param noClass the label that stands for none
 */
public record TorchScriptPlan(Plan plan, Guidance guidance, long noClass) {
    private static final String STEP = "    ";
    private static final String INSIDE = STEP + STEP;

    /**
     * Writes.
     *
     * @param graph of the network: inputs {@code x}, {@code time}, {@code label} and, where it is told them, {@code guidance} and
     *     {@code end_time}; the answer is its first output
     * @throws IllegalArgumentException naming an input that no plan gives, or clamps that differ from step to step
     */
    String sample(Graph graph) {
        return new Text(graph).method();
    }

    /** What is written so far. */
    private final class Text {
        private final Graph graph;
        private final Set<String> inputs;
        private final long channels;
        private final StringBuilder before = new StringBuilder();
        private final StringBuilder loop = new StringBuilder();
        private int lists;

        Text(Graph graph) {
            this.graph = graph;
            inputs = graph.inputs().stream().map(Value::name).collect(Collectors.toCollection(LinkedHashSet::new));
            if (!inputs.contains("x")) {
                throw new IllegalArgumentException("the graph has inputs " + inputs + ", expected x among them");
            }
            channels = input("x").shape().size(1).whole();
        }

        String method() {
            List<String> arguments = new ArrayList<>(List.of("noise: Tensor"));
            if (inputs.contains("label")) {
                arguments.add("label: Tensor");
            }
            if (plan.addsNoise()) {
                arguments.add("noises: List[Tensor]");
                before("drawn = 0");
            }
            before("x = " + call("mul", "noise", number(plan.startScale())));
            for (Combination.Source source : Combination.Source.values()) {
                if (plan.depth(source) > 0) {
                    before(list(source) + " = annotate(List[Tensor], [])");
                }
            }
            ask();
            loop("mean = " + prediction());
            loop("x0 = "
                    + call(
                            "add",
                            call("mul", "x", list(step -> step.call().x0FromState())),
                            "mean",
                            "alpha=" + list(step -> step.call().x0FromOutput())));
            clamp();
            remember(Combination.Source.STATE, "x");
            remember(Combination.Source.OUTPUT, "mean");
            remember(Combination.Source.X0, "x0");
            if (plan.steps().stream().anyMatch(Plan.Step::refines)) {
                combine("refined", Plan.Step::refined);
                loop(list(Combination.Source.STATE) + "[-1] = refined");
            }
            combine("x", Plan.Step::next);
            addNoise();
            return TorchScriptSource.head("sample", arguments, "Tensor") + before + STEP + "for k in range("
                    + plan.steps().size() + "):\n" + loop + STEP + "return x\n";
        }

        /** The answer of the network to the state, guided where guidance acts. */
        private void ask() {
            loop("given = " + call("mul", "x", list(step -> step.call().inputScale())));
            if (inputs.contains("guidance") || !plan.steps().stream().anyMatch(this::guided)) {
                loop("answer = " + forward("given", "label"));
                return;
            }
            boolean always = plan.steps().stream().allMatch(this::guided);
            String scale = list(step -> guidance.standardScaleAt(step.call().time()));
            String indent = always ? "" : STEP;
            if (!always) {
                loop("if " + scale + " == 1.0:");
                loop(STEP + "answer = " + forward("given", "label"));
                loop("else:");
            }
            loop(indent + "both = "
                    + forward(
                            call("cat", "[given, given]"),
                            call("cat", "[label, " + call("full_like", "label", Long.toString(noClass)) + "]")));
            long read = channels
                    * plan.steps().stream()
                            .mapToInt(step -> step.call().heads().end())
                            .max()
                            .orElseThrow();
            long guided = guidance.guidedChannels(Math.toIntExact(read));
            loop(indent + "asked, none = torch.chunk(both, 2)");
            loop(indent + "none = " + call("slice", "none", "1", "0", Long.toString(guided)));
            loop(indent + "told = " + call("slice", "asked", "1", "0", Long.toString(guided)));
            loop(indent + "answer = " + call("add", "none", call("sub", "told", "none"), "alpha=" + scale));
            if (guided < read || plan.learnsVariance()) {
                String rest = call("slice", "asked", "1", Long.toString(guided));
                loop(indent + "answer = " + call("cat", "[answer, " + rest + "]", "1"));
            }
        }

        private boolean guided(Plan.Step step) {
            return guidance.actsAt(step.call().time());
        }

        /** A call with the graph's inputs in order. */
        private String forward(String x, String label) {
            String rows = "[" + call("size", x, "0") + "]";
            List<String> arguments = new ArrayList<>();
            for (String input : inputs) {
                arguments.add(
                        switch (input) {
                            case "x" -> x;
                            case "label" -> label;
                            case "time" ->
                                call("new_full", "x", rows, list(step -> step.call()
                                        .time()));
                            case "guidance" ->
                                call(
                                        "new_full",
                                        "x",
                                        rows,
                                        list(step -> guidance.standardScaleAt(
                                                step.call().time())));
                            case "end_time" -> call("new_full", "x", rows, list(TorchScriptPlan::end));
                            default ->
                                throw new IllegalArgumentException("the graph has an input " + input
                                        + ", which no plan gives; expected x, time, label, guidance and end_time");
                        });
            }
            String answer = "self.forward(" + String.join(", ", arguments) + ")";
            return graph.outputs().size() == 1 ? answer : answer + "[0]";
        }

        /** The prediction in the answer: its leading channels, or a sum of several heads. */
        private String prediction() {
            int first = plan.steps().stream()
                    .mapToInt(step -> step.call().heads().first())
                    .min()
                    .orElseThrow();
            int end = plan.steps().stream()
                    .mapToInt(step -> step.call().heads().end())
                    .max()
                    .orElseThrow();
            String sum = "";
            for (int head = first; head < end; head++) {
                int which = head;
                String one = channels("answer", head);
                String factor = list(step -> step.call().heads().factor(which));
                sum = sum.isEmpty() ? call("mul", one, factor) : call("add", sum, one, "alpha=" + factor);
            }
            return sum;
        }

        private String channels(String of, int head) {
            return call("slice", of, "1", Long.toString(head * channels), Long.toString((head + 1) * channels));
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
                String indent = when(step -> step.call().clamp().equals(Clamp.NONE) ? 0 : 1);
                if (clamp instanceof Clamp.Range range) {
                    loop(indent + "x0 = " + call("clamp", "x0", number(-range.limit()), number(range.limit())));
                } else if (clamp instanceof Clamp.Dynamic dynamic) {
                    String magnitudes = call("abs", call("flatten", "x0", "1"));
                    String quantile = call("quantile", magnitudes, number(dynamic.quantile()), "1");
                    loop(indent + "limit = " + call("clamp", quantile, "1.0", number(dynamic.max())));
                    loop(indent + "limit = " + call("reshape", "limit", "[-1, 1, 1, 1]"));
                    loop(indent + "x0 = " + call("div", call("clamp", "x0", call("neg", "limit"), "limit"), "limit"));
                }
            }
        }

        private void remember(Combination.Source source, String value) {
            int depth = plan.depth(source);
            if (depth > 0) {
                String older = depth == 1 ? "" : list(source) + "[-" + (depth - 1) + ":] + ";
                loop(list(source) + " = " + older + "[" + value + "]");
            }
        }

        /** A linear combination of what is remembered; a coefficient of 0 stands for a tensor that may not be there. */
        private void combine(String into, Function<Plan.Step, Combination> which) {
            loop(into + " = torch.zeros_like(x0)");
            plan.steps().stream()
                    .flatMap(step -> which.apply(step).terms().stream())
                    .map(term -> new Combination.Term(term.source(), term.lag(), 1))
                    .distinct()
                    .forEach(term -> {
                        ToDoubleFunction<Plan.Step> coefficient =
                                step -> which.apply(step).coefficient(term.source(), term.lag());
                        loop(when(coefficient) + into + " = "
                                + call(
                                        "add",
                                        into,
                                        list(term.source()) + "[" + (-1 - term.lag()) + "]",
                                        "alpha=" + list(coefficient)));
                    });
        }

        private void addNoise() {
            if (plan.steps().stream().anyMatch(step -> step.noise() instanceof NoiseScale.Fixed)) {
                ToDoubleFunction<Plan.Step> scale =
                        step -> step.noise() instanceof NoiseScale.Fixed fixed ? fixed.scale() : 0;
                String indent = when(scale);
                loop(indent + "x = " + call("add", "x", "noises[drawn]", "alpha=" + list(scale)));
                loop(indent + "drawn = drawn + 1");
            }
            if (plan.learnsVariance()) {
                String indent = when(step -> step.noise() instanceof NoiseScale.LearnedRange ? 1 : 0);
                String slope =
                        call("mul", channels("answer", 1), list(range(r -> (r.logBeta() - r.logBetaTilde()) / 4)));
                String log = call("add", slope, list(range(r -> (r.logBeta() + r.logBetaTilde()) / 4)));
                loop(indent + "x = " + call("addcmul", "x", call("exp", log), "noises[drawn]"));
                loop(indent + "drawn = drawn + 1");
            }
        }

        private static ToDoubleFunction<Plan.Step> range(ToDoubleFunction<NoiseScale.LearnedRange> number) {
            return step -> step.noise() instanceof NoiseScale.LearnedRange range ? number.applyAsDouble(range) : 0;
        }

        /** The indent of what happens at the steps where a number is not 0, behind a condition unless it is so at all. */
        private String when(ToDoubleFunction<Plan.Step> number) {
            if (plan.steps().stream().allMatch(step -> number.applyAsDouble(step) != 0)) {
                return "";
            }
            loop("if " + list(number) + " != 0.0:");
            return STEP;
        }

        /** A number that differs from step to step. */
        private String list(ToDoubleFunction<Plan.Step> number) {
            List<String> numbers = plan.steps().stream()
                    .map(step -> number(number.applyAsDouble(step)))
                    .toList();
            if (numbers.stream().distinct().count() == 1) {
                return numbers.get(0);
            }
            String name = "c" + lists++;
            before(name + " = " + numbers);
            return name + "[k]";
        }

        private String list(Combination.Source source) {
            return source.name().toLowerCase(Locale.ROOT) + "s";
        }

        private Value input(String name) {
            return graph.inputs().stream()
                    .filter(value -> value.name().equals(name))
                    .findFirst()
                    .orElseThrow();
        }

        private void before(String line) {
            before.append(STEP).append(line).append('\n');
        }

        private void loop(String line) {
            loop.append(INSIDE).append(line).append('\n');
        }
    }

    private static double end(Plan.Step step) {
        return Double.isNaN(step.call().until())
                ? step.call().time()
                : step.call().until();
    }
}
