package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingChange;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.TextTable;
import dev.retort.sample.StepPlanning;
import dev.retort.sample.StepPlanning.Planned;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Finds the times at which a teacher is best called in few steps. */
@Command(
        name = "plan-steps",
        header = {
            "Find the time grids on which a model is best sampled in 1 to 16 steps, and how far each falls short.",
            "",
            "Examples:",
            "  retort plan-steps runs/teacher                        grids of 1 to 16 steps, beside the known ones",
            "  retort plan-steps runs/teacher --budget 4             and the stages that lead a student to 4 steps",
            "  retort plan-steps MODEL --most 8 --out plan.json      to a file; 'retort sample --grid' takes the lines",
            ""
        })
final class PlanStepsCommand implements Callable<Integer> {
    /** A stage of progressive distillation begins with no more steps than this. */
    private static final int FIRST_STAGE = 16;

    @Mixin
    private Output output;

    @Mixin
    private DeviceOptions asked;

    @Parameters(paramLabel = "TEACHER", description = ModelArgument.PLACES)
    private String teacher;

    @Option(
            names = "--solver",
            paramLabel = "SOLVER",
            description = "Whose steps, one call each and without noise; by default flow-euler for a flow, else ddim.")
    private String solver;

    @Option(
            names = "--guidance",
            paramLabel = "SCALE",
            description = "Classifier-free guidance; by default what the model asks for.")
    private String guidance;

    @Option(
            names = "--most",
            paramLabel = "N",
            defaultValue = "16",
            converter = Numbers.Steps.class,
            description = "Grids of 1 to N steps; by default 16.")
    private int most;

    @Option(
            names = "--fine",
            paramLabel = "N",
            defaultValue = "64",
            converter = Numbers.Steps.class,
            description = "Steps of the fine grid, of whose times the others choose theirs; by default 64.")
    private int fine;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "64",
            converter = Numbers.Count.class,
            description = "Noises to search on, and as many others to judge on; by default 64.")
    private int count;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.Seed.class,
            description = "Seed of all noises; by default 0.")
    private long seed;

    @Option(
            names = "--budget",
            paramLabel = "N",
            converter = Numbers.Steps.class,
            description = "Propose the stages of a distillation to so many steps, at most the grids' most.")
    private Integer budget;

    @Option(names = "--out", paramLabel = "FILE", description = "Write all of it there, as JSON.")
    private Path out;

    /** What is printed and written as JSON. */
    record Result(
            String teacher,
            String solver,
            double guidance,
            int fine,
            int count,
            long seed,
            List<Grid> grids,
            List<StageOf> stages) {}

    /** A grid as {@code --grid} takes it. */
    record Grid(int steps, String grid, double error, double errorOfPath, Map<String, Double> judged) {}

    /** A stage of a distillation: what the teacher misses in as many steps of the usual grid. */
    record StageOf(int steps, int ratio, double gap) {}

    @Override
    public Integer call() {
        requireAtMost("--most", most, "--fine", fine);
        requireAtMost("--budget", budget == null ? 1 : budget, "--most", most);
        if (out != null) {
            AtomicWrite.requireWritable(out);
        }
        Path folder = ModelArgument.folder(teacher, output);
        ModelCard card = Models.card(folder);
        String usual = card.process().schedule() instanceof ScheduleSpec.Flow ? "flow-euler" : "ddim";
        SamplingSpec sampling = sampling(card, solver == null ? usual : solver);
        SamplingOptions.requireGuidable(card, sampling, teacher);
        Device.Choice where = asked.choose();
        output.say("Device " + where.device() + " (" + where.reason() + "), in fp32");
        List<Planned> planned;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Pipeline<Denoiser> model = Models.open(folder, where.device(), Precision.FP32);
                Bar bar = output.bar("search", "grids")) {
            planned = new StepPlanning(model.network(), model.card(), sampling, fine, most, count, seed)
                    .run(bar, interrupt);
        }
        Result result = new Result(
                teacher,
                sampling.solver().text(),
                sampling.guidanceScale(),
                fine,
                count,
                seed,
                planned.stream()
                        .map(one ->
                                new Grid(one.steps(), one.grid().text(), one.searched(), one.byPath(), one.judged()))
                        .toList(),
                budget == null ? List.of() : stages(planned));
        if (out != null) {
            AtomicWrite.text(out, json(result));
        }
        tell(result);
        return 0;
    }

    /** On the usual grid and with no noise but a solver's own, whatever the card says: others are sought. */
    private SamplingSpec sampling(ModelCard card, String by) {
        try {
            return new SamplingChange(by, most, "default", guidance, null, null, 1.0).of(card.sampling());
        } catch (RetortException e) {
            throw new RetortException(e.kind(), "--" + e.getMessage(), e);
        }
    }

    private static void requireAtMost(String small, int value, String large, int most) {
        if (value > most) {
            throw new RetortException(
                    Kind.USAGE,
                    small + " " + value + " is above " + large + " " + most + "; raise " + large + " or lower "
                            + small);
        }
    }

    private static String json(Result result) {
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(result);
    }

    /** Halvings down to the budget, each with what the teacher misses in as many steps of the usual grid. */
    private List<StageOf> stages(List<Planned> planned) {
        List<StageOf> stages = new ArrayList<>();
        int steps = budget;
        while (2 * steps <= Math.min(most, FIRST_STAGE)) {
            steps *= 2;
        }
        for (int ratio = 4; steps >= budget; steps /= 2, ratio = 2) {
            stages.add(new StageOf(steps, ratio, planned.get(steps - 1).usual()));
            if (steps == 1) {
                break;
            }
        }
        return stages;
    }

    private void tell(Result result) {
        if (output.json()) {
            output.terminal().json(result);
            return;
        }
        output.terminal().out().print(grids(result).render());
        output.terminal().out().println();
        output.terminal().out().print(judged(result).render());
        if (!result.stages.isEmpty()) {
            output.terminal().out().println();
            output.terminal().out().print(recipe(result));
        }
        Grid last = result.grids.get(result.grids.size() - 1);
        output.next("retort sample " + teacher + " --solver " + result.solver + " --guidance " + result.guidance
                + " --grid " + last.grid);
    }

    private static TextTable grids(Result result) {
        TextTable table = new TextTable(List.of("steps", "error", "shortest path", "grid"));
        result.grids.forEach(grid -> table.row(
                List.of(Integer.toString(grid.steps), number(grid.error), number(grid.errorOfPath), grid.grid)));
        return table;
    }

    /** Errors on noises that were not searched on. */
    private static TextTable judged(Result result) {
        Set<String> names = new LinkedHashSet<>();
        result.grids.forEach(grid -> names.addAll(grid.judged.keySet()));
        List<String> columns = new ArrayList<>(List.of("steps, other noises"));
        columns.addAll(names);
        TextTable table = new TextTable(columns);
        for (Grid grid : result.grids) {
            if (!grid.judged.isEmpty()) {
                List<String> row = new ArrayList<>(List.of(Integer.toString(grid.steps)));
                names.forEach(name -> row.add(grid.judged.containsKey(name) ? number(grid.judged.get(name)) : "–"));
                table.row(row);
            }
        }
        return table;
    }

    private static String recipe(Result result) {
        List<StageOf> stages = result.stages;
        StringBuilder text = new StringBuilder("teacher: {model: " + result.teacher + ", guidance: " + result.guidance
                + "}\nstages:  # and what the teacher misses in as many steps of the usual grid, on which they are trained\n"
                + "  - {name: baked, images: 64000, losses: [{type: output}]}\n");
        IntStream.range(0, stages.size()).forEach(i -> {
            StageOf stage = stages.get(i);
            text.append(String.format(
                    Locale.ROOT,
                    "  - {name: steps-%d, teacher: %s, images: 48000, losses: [{type: progressive, steps: %d, ratio: %d}]}  # %s%n",
                    stage.steps,
                    i == 0 ? "baked" : "steps-" + stages.get(i - 1).steps,
                    stage.steps,
                    stage.ratio,
                    number(stage.gap)));
        });
        return text.toString();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
