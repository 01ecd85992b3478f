package dev.retort.cli;

import dev.retort.cli.demo.DemoPlan;
import dev.retort.cli.demo.Pace;
import dev.retort.cli.demo.Trial;
import dev.retort.config.Configs;
import dev.retort.data.DataConfig;
import dev.retort.data.ShapesCondition;
import dev.retort.distill.Distillation;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.Extractors;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Measurement;
import dev.retort.evaluate.Portions;
import dev.retort.io.AtomicWrite;
import dev.retort.io.ImageGrid;
import dev.retort.model.Network;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import dev.retort.sample.Sampling;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The whole path on pictures that Retort draws itself: teacher, student, honest zero, comparison, report. */
@Command(
        name = "demo",
        header = {
            "Train a tiny teacher, distil a student, compare them: the whole path in a few minutes, no files needed.",
            "",
            "Examples:",
            "  retort demo                         into runs/demo; the same command resumes",
            "  retort demo --run runs/again        from the start, somewhere else",
            ""
        })
final class DemoCommand implements Callable<Integer> {
    private static final String TEACHER = "teacher";
    private static final int SAMPLES = 500;
    private static final int BATCH = 50;
    private static final int ROUNDS = 3;
    private static final int CLASSES = ShapesCondition.SHAPES.size();
    private static final int PICTURES_PER_CLASS = 8;
    /** Images after which teacher and student draw what can be recognised. */
    private static final DemoPlan.Length LEAST = new DemoPlan.Length(72_000, 16_000);
    /**
     * Each column of the comparison draws its samples and is measured; the agreement asks the networks about as often as
     * drawing 85 images does. Five processes measure: the four columns, and one with next to no network.
     */
    private static final DemoPlan.Rest REST =
            new DemoPlan.Rest(SAMPLES + BATCH * (1 + ROUNDS) + 85, CLASSES * PICTURES_PER_CLASS, 5);

    private static final double PROMISED = 240;
    /** What the length is chosen for: measurements of a second are off by some per cent, and neighbours come. */
    private static final double AIM = 0.86 * PROMISED;
    /** Where this process took longer to start it had libraries to unpack, which those after it need not. */
    private static final double SLOWEST_START = 4;

    @Mixin
    private Output output;

    @Mixin
    private ComputeOptions compute;

    @Option(
            names = "--run",
            paramLabel = "FOLDER",
            defaultValue = "runs/demo",
            description = "Where everything goes; by default runs/demo.")
    private Path run;

    @Override
    public Integer call() {
        ComputeOptions.Chosen chosen = compute.choose(output);
        double start = Math.min(secondsSinceStart(), SLOWEST_START);
        Optional<DemoPlan> begun = begun();
        TrainConfig full = teaching();
        ComparisonReport report;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Evaluator evaluator = evaluator(full.run().data(), chosen)) {
            DemoPlan plan = begun.orElseGet(() -> measured(full, recipe(), chosen, start, interrupt));
            TrainConfig teaching = teaching("images=" + plan.teacherImages());
            Recipe recipe = recipe("stages.0.images=" + plan.studentImages());
            try (Bar bar = output.bar("demo", "", plan.seconds(REST))) {
                Portions parts = new Portions(bar, plan.seconds(REST));
                Path teacher = Training.run(
                        teaching,
                        run.resolve(TEACHER),
                        provenance(),
                        note -> {},
                        parts.next(plan.teacherSeconds(), "teacher"),
                        interrupt);
                Path student = Distillation.run(
                        recipe,
                        run.resolve("student"),
                        provenance(),
                        note -> {},
                        parts.next(plan.studentSeconds(), "student"),
                        interrupt);
                Path scratch = Training.run(
                        alone(recipe),
                        run.resolve("scratch"),
                        provenance(),
                        note -> {},
                        parts.next(plan.aloneSeconds(), "student alone"),
                        interrupt);
                report = compare(
                        evaluator,
                        teacher,
                        student,
                        scratch,
                        chosen,
                        parts.next(plan.comparisonSeconds(REST), "compare"));
                Progress pictures = parts.next(plan.pictureSeconds(REST), "pictures");
                draw(teacher, chosen, "teacher.png");
                pictures.update(1, 2, "");
                draw(student, chosen, "student.png");
                pictures.update(2, 2, "");
            }
        }
        tell(report, Comparison.save(report, run));
        return 0;
    }

    /** The plan of a demo that was begun in this folder; nothing is measured again. */
    private Optional<DemoPlan> begun() {
        AtomicWrite.recover(run);
        Optional<DemoPlan> begun = DemoPlan.read(run);
        if (begun.isEmpty() && Files.exists(run.resolve(TEACHER))) {
            throw new RetortException(
                    Kind.CONFIG,
                    run.resolve(TEACHER) + " was not begun by this demo, there is no " + DemoPlan.FILE
                            + " beside it; give --run another folder");
        }
        begun.ifPresent(plan -> output.say(String.format(
                Locale.ROOT,
                "Going on in %s as planned there: %,d images for the teacher, %,d for the student",
                run,
                plan.teacherImages(),
                plan.studentImages())));
        return begun;
    }

    /** Measures the machine and chooses a length that keeps the promise. */
    private DemoPlan measured(
            TrainConfig teaching, Recipe recipe, ComputeOptions.Chosen chosen, double start, Interrupt interrupt) {
        output.say("Measuring this machine for some seconds, to choose how long to train");
        Pace pace = new Trial(teaching, recipe, alone(recipe), chosen.device(), chosen.precision(), BATCH)
                .pace(run, start, interrupt);
        double passed = secondsSinceStart();
        DemoPlan.Length full = new DemoPlan.Length(teaching.images(), images(recipe));
        DemoPlan plan = DemoPlan.within(
                AIM - passed, pace, LEAST, full, REST, teaching.run().batch());
        plan.write(run);
        double whole = passed + plan.seconds(REST);
        output.say(String.format(
                Locale.ROOT,
                "Each second the teacher learns from %.0f images, the student from %.0f, its network alone from %.0f: "
                        + "%,d images for the teacher and %,d for the student, about %s in all%s",
                1 / pace.teacher(),
                1 / pace.student(),
                1 / pace.alone(),
                plan.teacherImages(),
                plan.studentImages(),
                Bar.duration(Math.round(whole)),
                whole > PROMISED ? "; with fewer the shapes could not be recognised" : ""));
        return plan;
    }

    /** Seconds since this program was started; what the launcher did before, such as the first build, does not count. */
    private static double secondsSinceStart() {
        return ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
    }

    private TrainConfig teaching(String... changes) {
        return Configs.load(TrainConfig.class, "train", "shapes-teacher", overrides(changes));
    }

    private Recipe recipe(String... changes) {
        List<String> all = new ArrayList<>(overrides(changes));
        all.add("teacher.model='" + run.resolve(TEACHER) + "'");
        return Configs.load(Recipe.class, "distill", "shapes-student", all);
    }

    private List<String> overrides(String... changes) {
        List<String> all = new ArrayList<>(compute.overrides("run.compute."));
        all.addAll(List.of(changes));
        return all;
    }

    private static TrainConfig alone(Recipe recipe) {
        return new TrainConfig(images(recipe), recipe.student(), recipe.objective(), recipe.run());
    }

    private static long images(Recipe recipe) {
        return recipe.stages().stream().mapToLong(StageConfig::images).sum();
    }

    private Evaluator evaluator(DataConfig data, ComputeOptions.Chosen chosen) {
        return Evaluator.of(
                data,
                Extractors.USUAL,
                new FeatureCache(run.resolve("features")),
                new Evaluator.Settings(SAMPLES, 0, BATCH, chosen.device(), chosen.precision()));
    }

    private ComparisonReport compare(
            Evaluator evaluator,
            Path teacher,
            Path student,
            Path scratch,
            ComputeOptions.Chosen chosen,
            Progress progress) {
        Measurement measurement =
                new Measurement(BATCH, ROUNDS, 1, chosen.device().toString(), chosen.precision(), compute.threads());
        return new Comparison(
                        candidate("teacher", teacher),
                        List.of(candidate("student", student)),
                        List.of(candidate("student alone", scratch)))
                .report(
                        evaluator,
                        measurement,
                        List.of(output.command()),
                        Provenance.here(output.command(), 0),
                        progress);
    }

    private static Candidate candidate(String name, Path model) {
        return new Candidate(name, model, Models.card(model).sampling());
    }

    private void draw(Path model, ComputeOptions.Chosen chosen, String file) {
        try (Pipeline<Network> loaded = Models.load(model, chosen.device())) {
            int classes = loaded.card().classes().size();
            ImageGrid grid = Sampling.classGrid(
                    loaded.network(), loaded.card(), chosen.precision(), classes, PICTURES_PER_CLASS);
            grid.write(run.resolve(file), 2);
        }
    }

    private void tell(ComparisonReport report, Path page) {
        if (output.json()) {
            output.terminal().out().println(report.toJson());
        } else {
            output.terminal().out().print(report.toTable().render());
            output.terminal().out().println();
            output.terminal().out().println(report.summary());
        }
        output.say("Pictures: " + run.resolve("teacher.png") + " and " + run.resolve("student.png"));
        output.say("The page with all of it: " + page);
        output.next("retort sample " + run.resolve("student") + " --classes star,heart");
    }

    private Map<String, String> provenance() {
        return Provenance.here(output.command(), 1).texts();
    }
}
