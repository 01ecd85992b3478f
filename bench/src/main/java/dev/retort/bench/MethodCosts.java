package dev.retort.bench;

import dev.retort.card.SamplingSpec;
import dev.retort.config.Configs;
import dev.retort.config.Preset;
import dev.retort.distill.Distillation;
import dev.retort.distill.Recipe;
import dev.retort.report.TextTable;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.io.file.PathUtils;

/**
 * What one step of each method of few steps costs, in plain training steps of the same student, measured in whole runs: of a
 * teacher as large as its student, with random weights, on which no cost depends. The methods take turns.
 */
final class MethodCosts {
    private static final int BATCH = 32;
    private static final int WARM_UP = 6;
    private static final int STEPS = 30;
    private static final String PLAIN = "{type: diffusion}";

    /**
     * A method.
     *
     * @param loss as in a recipe; {@code CACHE} stands for a folder of trajectories
     * @param solver for which its student is trained
     * @param steps of that solver
     * @param guidance of its teacher
     * @param estimate by its calls alone, in plain steps: a forward pass is a third of one; empty for none
     */
    private record Method(String loss, String solver, int steps, double guidance, String estimate) {}

    private static final List<Method> METHODS = List.of(
            new Method(PLAIN, "flow-euler", 4, 1, "1"),
            new Method("{type: output}", "flow-euler", 4, 1, "1.33"),
            new Method("{type: output}", "flow-euler", 4, 1.5, "1.67"),
            new Method("{type: progressive, steps: 4}", "flow-euler", 4, 1, "1.67"),
            new Method("{type: trajectory, steps: 4, trajectories: CACHE}", "flow-euler", 4, 1, ""),
            new Method("{type: endpoint, trajectories: CACHE}", "flow-euler", 4, 1, ""),
            new Method("{type: reflow, trajectories: CACHE}", "flow-euler", 4, 1, ""),
            new Method("{type: consistency}", "flow-euler", 4, 1, "1.33"),
            new Method("{type: consistency, distil: true}", "flow-euler", 4, 1, "2"),
            new Method("{type: continuous-consistency}", "flow-euler", 4, 1, ""),
            new Method("{type: continuous-consistency, distil: true}", "flow-euler", 4, 1, ""),
            new Method("{type: flow-map}", "flow-map", 4, 1, ""),
            new Method("{type: mean-flow}", "flow-map", 4, 1, "1.4 to 2.3"),
            new Method("{type: parallel-decoding, heads: 8}", "parallel-euler", 4, 1, "1.33"),
            new Method("{type: parallel-decoding, heads: 8, midpoint: true}", "parallel-euler", 4, 1, "1.67"),
            new Method("{type: adversarial, steps: 1}", "flow-euler", 1, 1, "2 to 2.5"),
            new Method("{type: adversarial, steps: 1, backbone: trained}", "flow-euler", 1, 1, "3 to 3.5"),
            new Method("{type: adversarial-step, steps: 4}", "flow-euler", 4, 1, ""),
            new Method("{type: adversarial-step, steps: 4, conditional: true}", "flow-euler", 4, 1, ""),
            new Method("{type: distribution-matching, steps: 1, ratio: 5, method: sid}", "flow-euler", 1, 1, ""),
            new Method(
                    "{type: distribution-matching, steps: 1, ratio: 5, divergence: jensen-shannon, noiseFrom: 0.05, noiseTo: 0.7},"
                            + " {type: adversarial, steps: 1}",
                    "flow-euler",
                    1,
                    1,
                    ""),
            new Method(
                    "{type: distribution-matching, steps: 1, ratio: 5}",
                    "flow-euler",
                    1,
                    1,
                    "1.2 to 1.4 (6 to 7 for each step of the student)"));

    private final Path temp;
    private final String student;
    private final Map<Method, List<Double>> seconds = new LinkedHashMap<>();
    private final List<Double> changes = new ArrayList<>();

    private MethodCosts(Path temp, String student) {
        this.temp = temp;
        this.student = student;
    }

    /**
     * Measures and tells.
     *
     * @param student depth, width, heads and patch as in a recipe
     * @param rounds how often each method has its turn
     */
    static String table(String student, int rounds) throws IOException {
        Path temp = Files.createTempDirectory("retort-methods");
        try {
            MethodCosts costs = new MethodCosts(temp, student);
            costs.prepare();
            for (int round = 0; round < rounds; round++) {
                for (Method method : METHODS) {
                    System.err.println("round " + (round + 1) + " of " + rounds + ": " + method.loss());
                    costs.run(method, round);
                }
                costs.change(round);
            }
            return costs.render();
        } finally {
            PathUtils.deleteDirectory(temp);
        }
    }

    private void prepare() {
        TrainConfig taught = Configs.load(
                TrainConfig.class,
                new Preset("train", "teacher", "", """
                        images: 32
                        model: {type: dit, size: %s}
                        objective: {type: flow}
                        """.formatted(student) + settings("flow-euler", 4)),
                List.of());
        Path teacher = Training.run(taught, teacher(), Map.of(), note -> {}, (d, t, text) -> {}, () -> false);
        new TrajectoryRecording(teacher, "teacher", SamplingSpec.of("flow-euler", 4, 1), 0, 256, 256, 32, Device.CPU)
                .run(cache(), Map.of(), note -> {}, (d, t, text) -> {}, () -> false);
    }

    private void run(Method method, int round) {
        List<Long> at = steps(recipe(method, STEPS * BATCH, ""), METHODS.indexOf(method) + "-" + round);
        double one = (at.get(at.size() - 1) - at.get(WARM_UP - 1)) / 1e9 / (at.size() - WARM_UP);
        seconds.computeIfAbsent(method, ignored -> new ArrayList<>()).add(one);
    }

    /** How much longer than another the first step of a stage takes whose teacher is the stage before. */
    private void change(int round) {
        int first = 12;
        List<Long> at = steps(
                recipe(new Method("{type: output}", "flow-euler", 4, 1.5, ""), (long) first * BATCH, """
                  - name: second
                    images: %d
                    teacher: all
                    optimizer: {lr: 0.0005, schedule: linear}
                    losses: [{type: progressive, steps: 4}]
                """.formatted(
                                first * BATCH)),
                "change-" + round);
        changes.add((at.get(first) - at.get(first - 1) - (at.get(2 * first - 1) - at.get(first)) / (double) (first - 1))
                / 1e9);
    }

    private List<Long> steps(Recipe recipe, String name) {
        List<Long> at = new ArrayList<>();
        Distillation.run(
                recipe,
                temp.resolve(name),
                Map.of(),
                note -> {},
                (done, total, text) -> at.add(System.nanoTime()),
                () -> false);
        return at;
    }

    private Recipe recipe(Method method, long images, String more) {
        return Configs.load(
                Recipe.class,
                new Preset(
                        "distill",
                        "method",
                        "",
                        """
                        teacher: {model: "%s", guidance: %s}
                        student: {size: %s}
                        init: cut
                        stages:
                          - name: all
                            images: %d
                            losses: [%s]
                        """.formatted(
                                                teacher(),
                                                method.guidance(),
                                                student,
                                                images,
                                                method.loss().replace("CACHE", '"' + cache().toString() + '"'))
                                + more
                                + settings(method.solver(), method.steps())),
                List.of());
    }

    private static String settings(String solver, int steps) {
        return """
                run:
                  batch: %d
                  data: {kind: shapes, size: 28}
                  optimizer: {lr: 0.0005}
                  compute: {precision: fp32}
                  log: {sampleImages: 0}
                  sampling: {solver: %s, steps: %d, guidanceScale: 1}
                """.formatted(BATCH, solver, steps);
    }

    private Path teacher() {
        return temp.resolve("teacher");
    }

    private Path cache() {
        return temp.resolve("cache");
    }

    private String render() {
        TextTable table = new TextTable(List.of("loss", "guidance", "ms a step", "plain steps", "estimate"));
        List<Double> plain = seconds.get(METHODS.get(0));
        seconds.forEach((method, times) -> {
            double[] ratios = new double[times.size()];
            double[] milliseconds = new double[times.size()];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = times.get(i) / plain.get(i);
                milliseconds[i] = 1e3 * times.get(i);
            }
            table.row(List.of(
                    method.loss(),
                    String.valueOf(method.guidance()),
                    format("%.1f", Contest.middle(milliseconds)),
                    format("%.2f", Contest.middle(ratios)),
                    method.estimate()));
        });
        return Machine.here().cpu() + ", student " + student + ", batch " + BATCH + "\n\n" + table.render()
                + format(
                        "change of stage: %.2f s%n",
                        Contest.middle(changes.stream()
                                .mapToDouble(Double::doubleValue)
                                .toArray()));
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
