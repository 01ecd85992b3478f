package dev.retort.cli;

import dev.retort.config.Configs;
import dev.retort.data.DataSpec;
import dev.retort.distill.Distillation;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Contestant;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Judge;
import dev.retort.evaluate.Measurement;
import dev.retort.evaluate.Portions;
import dev.retort.io.ImageGrid;
import dev.retort.model.ModelFolder;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import dev.retort.sample.Draw;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    private static final int SAMPLES = 500;
    private static final int BATCH = 50;
    private static final int ROUNDS = 3;
    private static final int PICTURES_PER_CLASS = 8;
    /** Shares of the time; only the evenness of the bar depends on them. */
    private static final double TEACHER = 100;

    private static final double STUDENT = 45;
    private static final double SCRATCH = 20;
    private static final double COMPARISON = 30;

    @Mixin
    private Talk talk;

    @Mixin
    private Hardware hardware;

    @Option(
            names = "--run",
            paramLabel = "FOLDER",
            defaultValue = "runs/demo",
            description = "Where everything goes; by default runs/demo.")
    private Path run;

    @Override
    public Integer call() {
        Hardware.Chosen chosen = hardware.choose(talk);
        List<String> overrides = hardware.overrides("run.compute.");
        TrainConfig teaching = Configs.load(TrainConfig.class, "train", "shapes-teacher", overrides);
        Recipe recipe = recipe(overrides);
        long images = recipe.stages().stream().mapToLong(StageConfig::images).sum();
        TrainConfig alone = new TrainConfig(images, recipe.student(), recipe.objective(), recipe.run());
        ComparisonReport report;
        try (Interrupt interrupt = Interrupt.listen(talk.terminal());
                Bar bar = talk.bar("demo", "")) {
            Portions parts = new Portions(bar, TEACHER + STUDENT + SCRATCH + COMPARISON);
            Path teacher = Training.run(
                    teaching,
                    run.resolve("teacher"),
                    provenance(),
                    note -> {},
                    parts.next(TEACHER, "teacher"),
                    interrupt);
            Path student = Distillation.run(
                    recipe,
                    run.resolve("student"),
                    provenance(),
                    note -> {},
                    parts.next(STUDENT, "student"),
                    interrupt);
            Path scratch = Training.run(
                    alone,
                    run.resolve("scratch"),
                    provenance(),
                    note -> {},
                    parts.next(SCRATCH, "student alone"),
                    interrupt);
            report = compare(
                    teacher, student, scratch, teaching.run().data(), chosen, parts.next(COMPARISON, "compare"));
            draw(teacher, chosen, "teacher.png");
            draw(student, chosen, "student.png");
        }
        tell(report, Comparison.save(report, run));
        return 0;
    }

    private Recipe recipe(List<String> overrides) {
        List<String> all = new ArrayList<>(overrides);
        all.add("teacher.model='" + run.resolve("teacher") + "'");
        return Configs.load(Recipe.class, "distill", "shapes-student", all);
    }

    private ComparisonReport compare(
            Path teacher, Path student, Path scratch, DataSpec data, Hardware.Chosen chosen, Progress progress) {
        Judge.Settings settings = new Judge.Settings(SAMPLES, 0, BATCH, chosen.device(), chosen.precision());
        Measurement measurement =
                new Measurement(BATCH, ROUNDS, 1, chosen.device().toString(), chosen.precision(), hardware.threads());
        try (Judge judge = Judge.of(data, "auto", new FeatureCache(run.resolve("features")), settings)) {
            return new Comparison(
                            contestant("teacher", teacher),
                            List.of(contestant("student", student)),
                            List.of(contestant("student alone", scratch)))
                    .report(judge, measurement, List.of(talk.command()), Provenance.here(talk.command(), 0), progress);
        }
    }

    private static Contestant contestant(String name, Path model) {
        return new Contestant(name, model, ModelFolder.card(model).sampling());
    }

    private void draw(Path model, Hardware.Chosen chosen, String file) {
        try (ModelFolder.Loaded loaded = ModelFolder.load(model, chosen.device())) {
            int classes = loaded.card().classes().size();
            ImageGrid grid =
                    Draw.classGrid(loaded.network(), loaded.card(), chosen.precision(), classes, PICTURES_PER_CLASS);
            grid.write(run.resolve(file), 2);
        }
    }

    private void tell(ComparisonReport report, Path page) {
        if (talk.json()) {
            talk.terminal().out().println(report.toJson());
        } else {
            talk.terminal().out().print(report.toTable().render());
            talk.terminal().out().println();
            talk.terminal().out().println(report.summary());
        }
        talk.say("Pictures: " + run.resolve("teacher.png") + " and " + run.resolve("student.png"));
        talk.say("The page with all of it: " + page);
        talk.next("retort sample " + run.resolve("student") + " --classes star,heart");
    }

    private Map<String, String> provenance() {
        Map<String, String> texts = new LinkedHashMap<>();
        Provenance.here(talk.command(), 1).toMap().forEach((key, value) -> texts.put(key, String.valueOf(value)));
        return texts;
    }
}
