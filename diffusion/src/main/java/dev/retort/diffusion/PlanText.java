package dev.retort.diffusion;

import java.io.BufferedReader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A {@link Plan} as text and back, number by number: whoever has the text runs the plan and needs no solver, schedule or grid. Numbers are
 * written as {@link Double#toString} does, so that they are read as the same doubles.
 *
 * <pre>
 * retort-plan 1
 * solver flow-euler
 * start 1.0
 * step time=1.0 alpha=0.0 sigma=1.0 scale=1.0 prediction=flow clamp=range:1.0 until=NaN heads=0:1.0 refined=state@0:1.0 next=state@0:1.0,output@0:-1.0 noise=none
 * </pre>
 *
 * A line begins with what it says. A step is one line of {@code name=value}, all of them, in this order: the {@link Plan.Call} from {@code time} to
 * {@code heads} (the first head, then the factor of each; {@code scale} is its input scale), then the {@link Plan.Step}. A combination is its
 * terms {@code source@lag:coefficient}, or {@code zero}. A clamp is {@code none}, {@code range:limit} or {@code dynamic:quantile:max};
 * noise is {@code none}, {@code fixed:scale} or {@code learned:logBeta:logBetaTilde}.
 */
public final class PlanText {
    private static final String HEAD = "retort-plan 1";
    private static final String SOLVER = "solver ";
    private static final String START = "start ";
    private static final String STEP = "step ";
    private static final List<String> FIELDS = List.of(
            "time", "alpha", "sigma", "scale", "prediction", "clamp", "until", "heads", "refined", "next", "noise");

    private PlanText() {}

    /**
     * Writes.
     *
     * @throws IllegalArgumentException where the solver's name has several lines
     */
    public static String of(Plan plan) {
        if (lines(plan.solver()).size() > 1) {
            throw new IllegalArgumentException(
                    "the solver is named \"" + plan.solver() + "\"; expected a name of one line");
        }
        StringBuilder text = new StringBuilder();
        text.append(HEAD).append('\n');
        text.append(SOLVER).append(plan.solver()).append('\n');
        text.append(START).append(plan.startScale()).append('\n');
        for (Plan.Step step : plan.steps()) {
            List<String> values = values(step);
            text.append(STEP);
            for (int i = 0; i < values.size(); i++) {
                text.append(i == 0 ? "" : " ").append(FIELDS.get(i)).append('=').append(values.get(i));
            }
            text.append('\n');
        }
        return text.toString();
    }

    /**
     * Reads.
     *
     * @throws IllegalArgumentException naming the line and what was expected there
     */
    public static Plan parse(String text) {
        List<String> lines = lines(text);
        if (!line(lines, 0).equals(HEAD)) {
            throw refused(lines, 0, "\"" + HEAD + "\"; the text is no plan, or one of another version");
        }
        String solver = after(SOLVER, lines, 1);
        double start = in(lines, 2, () -> PlanWords.number(after(START, lines, 2)));
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 3; i < lines.size(); i++) {
            int at = i;
            steps.add(in(lines, at, () -> step(after(STEP, lines, at))));
        }
        return new Plan(solver, start, steps);
    }

    /** {@code String.lines}, which older Androids lack. */
    private static List<String> lines(String text) {
        return new BufferedReader(new StringReader(text)).lines().collect(Collectors.toList());
    }

    private static List<String> values(Plan.Step step) {
        Plan.Call call = step.call();
        return List.of(
                Double.toString(call.time()),
                Double.toString(call.alpha()),
                Double.toString(call.sigma()),
                Double.toString(call.inputScale()),
                PlanWords.word(call.prediction()),
                PlanWords.clamp(call.clamp()),
                Double.toString(call.until()),
                PlanWords.heads(call.heads()),
                PlanWords.combination(step.refined()),
                PlanWords.combination(step.next()),
                PlanWords.noise(step.noise()));
    }

    private static Plan.Step step(String line) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String part : line.split(" ")) {
            int equals = part.indexOf('=');
            values.put(part.substring(0, Math.max(equals, 0)), part.substring(equals + 1));
        }
        if (!List.copyOf(values.keySet()).equals(FIELDS)) {
            throw new IllegalArgumentException("a step has " + values.keySet() + ", expected " + FIELDS);
        }
        Plan.Call call = new Plan.Call(
                PlanWords.number(values.get("time")),
                PlanWords.number(values.get("alpha")),
                PlanWords.number(values.get("sigma")),
                PlanWords.number(values.get("scale")),
                PlanWords.constant(Prediction.class, values.get("prediction")),
                PlanWords.clamp(values.get("clamp")),
                PlanWords.number(values.get("until")),
                PlanWords.heads(values.get("heads")));
        return new Plan.Step(
                call,
                PlanWords.combination(values.get("refined")),
                PlanWords.combination(values.get("next")),
                PlanWords.noise(values.get("noise")));
    }

    private static String line(List<String> lines, int at) {
        return at < lines.size() ? lines.get(at) : "";
    }

    private static String after(String start, List<String> lines, int at) {
        if (!line(lines, at).startsWith(start)) {
            throw refused(lines, at, "\"" + start + "…\"");
        }
        return line(lines, at).substring(start.length());
    }

    private static IllegalArgumentException refused(List<String> lines, int at, String expected) {
        return new IllegalArgumentException(
                "line " + (at + 1) + " of a plan is \"" + line(lines, at) + "\", expected " + expected);
    }

    private interface Reading<T> {
        T read();
    }

    private static <T> T in(List<String> lines, int at, Reading<T> reading) {
        try {
            return reading.read();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "line " + (at + 1) + " of a plan is \"" + line(lines, at) + "\": " + e.getMessage(), e);
        }
    }
}
