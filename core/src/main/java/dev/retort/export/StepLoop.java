package dev.retort.export;

import dev.retort.diffusion.Plan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A loop over the steps of a plan in TorchScript, whose body stands once: numbers that differ from step to step are lists, made
 * before it.
 */
final class StepLoop {
    static final String INDENT = "    ";

    private final List<Plan.Step> steps;
    private final StringBuilder before = new StringBuilder();
    private final StringBuilder body = new StringBuilder();
    private final Map<List<String>, String> lists = new HashMap<>();

    StepLoop(List<Plan.Step> steps) {
        this.steps = steps;
    }

    /** Adds a line before the loop. */
    void before(String line) {
        before.append(INDENT).append(line).append('\n');
    }

    /** Adds a line to its body. */
    void each(String line) {
        body.append(INDENT).append(INDENT).append(line).append('\n');
    }

    /** A number of each step. */
    String number(ToDoubleFunction<Plan.Step> number) {
        List<String> numbers = steps.stream()
                .map(step -> TorchScriptOps.number(number.applyAsDouble(step)))
                .toList();
        if (numbers.stream().distinct().count() == 1) {
            return numbers.get(0);
        }
        return lists.computeIfAbsent(numbers, list -> {
                    String name = "numbers" + lists.size();
                    before(name + " = " + list);
                    return name;
                })
                + "[k]";
    }

    /** The indent of lines for those steps where a number is not 0, behind a condition unless it never is. */
    String when(ToDoubleFunction<Plan.Step> number) {
        if (steps.stream().allMatch(step -> number.applyAsDouble(step) != 0)) {
            return "";
        }
        each("if " + number(number) + " != 0.0:");
        return INDENT;
    }

    /** The loop, and what stands before it. */
    String text() {
        return before + INDENT + "for k in range(" + steps.size() + "):\n" + body;
    }
}
