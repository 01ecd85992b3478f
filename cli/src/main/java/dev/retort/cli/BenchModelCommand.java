package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.BenchmarkRow;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.ModelBenchmark;
import dev.retort.io.AtomicWrite;
import dev.retort.report.ModelColumn;
import dev.retort.report.TextTable;
import dev.retort.report.Unit;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures a model's forms and engines on this machine, and names the fastest that is good enough. */
@Command(
        name = "bench-model",
        header = {
            "Measure a model on this CPU in fp32, bf16, 8 and 4 bits, by libtorch and by ONNX Runtime: size, memory, speed, quality.",
            "",
            "Examples:",
            "  retort bench-model runs/student                   all forms, made in a scratch folder; the fastest is named",
            "  retort bench-model runs/student --budget 0.05     whose distances to real images grow by 5 %% at most",
            "  retort bench-model runs/student --samples 0       no real images: judged by the pixels of the same noise",
            "  retort bench-model runs/few@4,2 runs/student      several, one after the other",
            ""
        })
final class BenchModelCommand implements Callable<Integer> {
    private static final int BATCH = 100;

    @Mixin
    private Output output;

    @Mixin
    private RealImageOptions images;

    @Mixin
    private CandidateOptions models;

    @Parameters(
            paramLabel = "MODEL[@STEPS,...]",
            arity = "1..*",
            description = "A run, one of its checkpoints or a model folder, and the numbers of steps.")
    private List<String> given;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "10000",
            converter = Numbers.CountOrNone.class,
            description = "Images of each form; by default 10000. 0 leaves the distances to real images out.")
    private int samples;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            converter = Numbers.CountOrNone.class,
            description = "Rounds of measuring speed and memory; 0 leaves it out.")
    private int rounds;

    @Option(
            names = "--budget",
            paramLabel = "SHARE",
            defaultValue = "0.02",
            description =
                    "By which share each distance may grow over that of fp32, or with --samples 0 how far pixels may be"
                            + " from its; by default 0.02.")
    private double budget;

    /** What is printed as JSON; the floor is the distances of training images in a model's place. */
    record Benchmark(
            String instructionSet, int samples, double budget, Map<String, Double> floor, List<Model> models) {}

    /** Of one model: the rows, and the name of the fastest within the budget; null where there is none. */
    record Model(String name, List<BenchmarkRow> rows, String fastest, List<String> slower) {}

    @Override
    public Integer call() {
        if (!(budget >= 0)) {
            throw new RetortException(Kind.USAGE, "--budget " + budget + " is not a share; give 0 or more");
        }
        List<String> taken = new ArrayList<>();
        List<Candidate> candidates = new ArrayList<>();
        given.forEach(model -> candidates.addAll(models.candidates(model, taken, output)));
        List<Model> measured = new ArrayList<>();
        Map<String, Double> floor = new LinkedHashMap<>();
        try (Evaluator evaluator = samples == 0 ? null : evaluator(candidates)) {
            ModelBenchmark benchmark = new ModelBenchmark(evaluator, rounds, output::say);
            for (Candidate candidate : candidates) {
                try (Bar bar = output.bar("bench", "")) {
                    List<BenchmarkRow> rows =
                            AtomicWrite.scratch(scratch(), folder -> benchmark.of(candidate, folder, bar));
                    measured.add(new Model(
                            candidate.name(),
                            rows,
                            ModelBenchmark.fastest(rows, budget)
                                    .map(BenchmarkRow::text)
                                    .orElse(null),
                            ModelBenchmark.slower(rows)));
                }
            }
            if (evaluator != null) {
                ModelColumn real = evaluator.floor();
                real.values().forEach((measure, value) -> floor.put(measure.name(), value));
                floor.keySet()
                        .retainAll(measured.get(0).rows().get(0).distances().keySet());
                evaluator.notes().forEach(output::say);
            }
        }
        output.say(ModelBenchmark.note(rounds));
        if (output.json()) {
            output.terminal().json(new Benchmark(ModelBenchmark.instructionSet(), samples, budget, floor, measured));
        } else {
            measured.forEach(model -> print(model, floor));
        }
        return 0;
    }

    private Evaluator evaluator(List<Candidate> candidates) {
        return images.evaluator(
                candidates, new Evaluator.Settings(samples, 0, BATCH, Device.CPU, Precision.FP32), output);
    }

    /** Beside which the forms are made. */
    private static Path scratch() {
        return Path.of(System.getProperty("java.io.tmpdir"), "retort-bench-model");
    }

    private void print(Model model, Map<String, Double> floor) {
        List<String> distances = List.copyOf(model.rows().get(0).distances().keySet());
        List<String> header = new ArrayList<>(List.of(
                model.name(),
                "engine",
                "file",
                "memory",
                "an image, alone",
                "an image, in " + ModelBenchmark.TOGETHER,
                "1 thread",
                "2 threads"));
        header.addAll(distances);
        header.addAll(List.of("pixels differ by", "PSNR"));
        TextTable table = new TextTable(header);
        for (BenchmarkRow row : model.rows()) {
            if (row.why() != null) {
                table.section(row.text() + ": " + row.why());
                continue;
            }
            List<String> cells =
                    new ArrayList<>(List.of(row.name(), row.engine().toString(), Unit.BYTES.format(row.bytes())));
            cells.addAll(speed(row.speed()));
            distances.forEach(
                    name -> cells.add(Unit.SCORE.format(row.distances().get(name))));
            cells.add(String.format(Locale.ROOT, "%.2f %%", 100 * row.error()));
            cells.add(row.psnr() == null ? "equal" : String.format(Locale.ROOT, "%.1f dB", row.psnr()));
            table.row(cells);
        }
        if (!floor.isEmpty()) {
            List<String> cells = new ArrayList<>(List.of("real images", "", "", "", "", "", "", ""));
            distances.forEach(name -> cells.add(Unit.SCORE.format(floor.getOrDefault(name, Double.NaN))));
            cells.addAll(List.of("", ""));
            table.row(cells);
        }
        output.terminal().out().print(table.render());
        output.terminal().out().println();
        output.terminal().out().println("Computed by " + ModelBenchmark.instructionSet());
        model.slower().forEach(output.terminal().out()::println);
        output.terminal().out().println(verdict(model));
    }

    private static List<String> speed(BenchmarkRow.Speed speed) {
        return speed == null
                ? List.of("-", "-", "-", "-", "-")
                : List.of(
                        Unit.BYTES.format(speed.peakBytes()),
                        Unit.SECONDS.format(speed.secondsAlone()),
                        Unit.SECONDS.format(speed.secondsTogether()),
                        Unit.PER_SECOND.format(speed.perSecondOnOneThread()),
                        Unit.PER_SECOND.format(speed.perSecondOnTwoThreads()));
    }

    private String verdict(Model model) {
        String limit = String.format(
                Locale.ROOT,
                samples == 0 ? "pixels within %.1f %% of fp32" : "distances at most %.1f %% above those of fp32",
                100 * budget);
        return Optional.ofNullable(model.fastest())
                .map(name -> "The fastest with " + limit + ", " + ModelBenchmark.TOGETHER + " images at once: " + name)
                .orElse("Speed was not measured, so none is the fastest with " + limit);
    }
}
