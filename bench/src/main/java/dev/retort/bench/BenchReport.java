package dev.retort.bench;

import dev.retort.report.TextTable;
import dev.retort.torch.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Everything measured in one run, as JSON and as a table. */
final class BenchReport {
    private static final String OURS = "ours";

    private final Map<String, Object> head = new LinkedHashMap<>();
    private final List<String> rivals = new ArrayList<>();
    private final Map<String, Double> peaks = new LinkedHashMap<>();
    private final Map<String, Double> overheads = new LinkedHashMap<>();
    private final List<Contest.Result> results = new ArrayList<>();
    private Alone.Flatness flatness;

    BenchReport(List<Contest.Entrant> entrants) {
        Machine machine = Machine.here();
        head.put("cpu", machine.cpu());
        head.put("cores", machine.cores());
        for (Contest.Entrant entrant : entrants) {
            head.put(entrant.name(), hello(entrant));
            if (!entrant.name().equals(OURS)) {
                rivals.add(entrant.name());
            }
        }
    }

    private static String hello(Contest.Entrant entrant) {
        try (Worker worker = entrant.start().get()) {
            return worker.hello().get("library").asString();
        }
    }

    void peak(String precision, double gflops) {
        peaks.put(precision, gflops);
    }

    void add(Contest.Result result) {
        results.add(result);
    }

    void overhead(BenchCase what, double share) {
        overheads.put(what.toString(), share);
    }

    void flatness(Alone.Flatness measured) {
        flatness = measured;
    }

    /** One row per case: our time, speed and memory, then each rival's time and ours over it. */
    String table() {
        StringBuilder out = new StringBuilder();
        head.forEach((key, value) -> out.append(key).append(": ").append(value).append('\n'));
        peaks.forEach(
                (precision, gflops) -> out.append(format("matrix product peak %s: %.0f GFLOP/s%n", precision, gflops)));
        List<String> columns = new ArrayList<>(List.of("step", "ms", "GFLOP/s", "of peak", "images/s", "peak MB"));
        rivals.forEach(rival -> columns.addAll(List.of(rival + " ms", "ours / " + rival)));
        TextTable table = new TextTable(columns);
        for (Contest.Result result : results) {
            Contest.Times ours = result.times().get(OURS);
            List<String> row = new ArrayList<>(List.of(
                    result.what() + (result.inTurn() ? "" : " *"),
                    format("%.1f", 1e3 * ours.median()),
                    format("%.0f", gflops(result)),
                    format("%.0f %%", 100 * shareOfPeak(result)),
                    format("%.2f", result.what().batch() / ours.median()),
                    format("%.0f", ours.peakMegabytes())));
            for (String rival : rivals) {
                Contest.Times theirs = result.times().get(rival);
                row.add(format("%.1f", 1e3 * theirs.median()));
                row.add(format("%.3f", ours.ratioTo(theirs)));
            }
            table.row(row);
        }
        out.append('\n').append(table.render());
        if (results.stream().anyMatch(result -> !result.inTurn())) {
            out.append("* too large to run in turn here: each side ran alone, one after the other\n");
        }
        overheads.forEach((what, share) ->
                out.append(format("outside native ops, %s: at most %.2f %% of a step%n", what, 100 * share)));
        if (flatness != null) {
            out.append(format(
                    "resident memory over %d training steps: %.0f to %.0f MB, never more than %.2f %% from the first%n",
                    flatness.steps(), flatness.firstMegabytes(), flatness.lastMegabytes(), 100 * flatness.widest()));
        }
        return out.toString();
    }

    /** All figures, every round's seconds included. */
    String json() {
        Map<String, Object> all = new LinkedHashMap<>(head);
        all.put("peak_gflops", peaks);
        List<Map<String, Object>> cases = new ArrayList<>();
        for (Contest.Result result : results) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("case", result.what());
            one.put("in_turn", result.inTurn());
            one.put("gigaflop_per_step", result.what().gigaflop());
            one.put("gflops", gflops(result));
            one.put("share_of_peak", shareOfPeak(result));
            one.put("times", result.times());
            Map<String, Double> ratios = new LinkedHashMap<>();
            Map<String, Double> cpuRatios = new LinkedHashMap<>();
            result.times().forEach((name, times) -> {
                if (!name.equals(OURS)) {
                    ratios.put(name, result.times().get(OURS).ratioTo(times));
                    cpuRatios.put(name, result.times().get(OURS).cpuRatioTo(times));
                }
            });
            one.put("ours_over", ratios);
            one.put("ours_over_in_cpu_time", cpuRatios);
            cases.add(one);
        }
        all.put("cases", cases);
        all.put("outside_native_ops_at_most", overheads);
        all.put("memory", flatness);
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(all);
    }

    private static double gflops(Contest.Result result) {
        return result.what().gigaflop() / result.times().get(OURS).median();
    }

    private double shareOfPeak(Contest.Result result) {
        return gflops(result) / peaks.get(result.what().precision());
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
