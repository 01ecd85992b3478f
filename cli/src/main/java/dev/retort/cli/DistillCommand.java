package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.config.Preset;
import dev.retort.config.Presets;
import dev.retort.data.ImageSource;
import dev.retort.distill.Distillation;
import dev.retort.distill.LossConfig;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.error.RetortException;
import dev.retort.pipeline.Models;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Distils a student from a teacher, or goes on with a run that was stopped. */
@Command(
        name = "distill",
        header = {
            "Distil a smaller student from a teacher. The same command resumes a run that was stopped.",
            "",
            "Examples:",
            "  retort distill fashion-student --dry-run              what it would take, and all settings",
            "  retort distill fashion-student                        distil into runs/fashion-student",
            "  retort distill warmup-feature-joint --set teacher.model=runs/other-teacher",
            "  retort distill fashion-student --set student.size=4x128x2/4 --run runs/smaller",
            "  retort distill fashion-student --set stages.0.images=24000 --run runs/shorter",
            "  retort distill recipe.yaml --set teacher.data=latents/at-64   the teacher's size differs from the data's",
            ""
        })
final class DistillCommand implements Callable<Integer> {
    @Mixin
    private RunOptions options;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        Preset preset = options.preset("distill");
        Recipe recipe = options.load(Recipe.class, preset, "run.compute.");
        if (options.dryRun()) {
            describe(recipe);
            return 0;
        }
        Path run = options.folder();
        Path teacher = teacher(recipe); // fetched before the run begins, with a bar of its own
        output.say("run: " + run + " (Ctrl-C saves; the same command resumes)");
        long start = System.nanoTime();
        Path model;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Bar bar = output.bar("distil", "images")) {
            model = Distillation.run(
                    recipe, run, options.provenance("distill", recipe.run().seed()), output::say, bar, interrupt);
        }
        RunResult.of(run, model, images(recipe), start)
                .tell(
                        output,
                        Models.card(teacher).images().equals(Models.card(model).images())
                                ? "retort compare " + recipe.teacher().model() + " " + run
                                : "retort sample " + run);
        return 0;
    }

    private void describe(Recipe recipe) {
        ImageSource source = recipe.run().data().open();
        ModelCard teacherCard = Models.card(teacher(recipe));
        NetworkSpec student = recipe.network(recipe.seen(source, teacherCard), teacherCard);
        List<String> findings = Distillation.check(recipe, teacherCard);
        NetworkSpec teacher = teacherCard.network();
        double macs = 0;
        for (StageConfig stage : recipe.stages()) {
            // losses that ask the usual question share its answer
            int asked = stage.losses().stream()
                    .mapToInt(LossConfig::teacherCalls)
                    .max()
                    .orElse(0);
            int teacherCalls = recipe.teacher().guidance() == 1 ? asked : 2 * asked;
            macs += stage.images() * (3.0 * student.macs() + (double) teacherCalls * teacher.macs());
        }
        DryRun.describe(
                output, "distill", recipe, recipe.run(), source, student, images(recipe), macs / images(recipe));
        findings.forEach(output::say);
        output.say("run: " + options.folder());
        output.next(options.command("distill"));
    }

    private Path teacher(Recipe recipe) {
        String model = recipe.teacher().model();
        try {
            return ModelArgument.folder(model, output);
        } catch (RetortException e) {
            String preset = Path.of(model).getFileName().toString();
            boolean trainable = Presets.list("train").stream().anyMatch(known -> model.equals("runs/" + known.name()));
            throw new RetortException(
                    e.kind(),
                    trainable
                            ? "the teacher " + model + " is not there yet; run 'retort train " + preset
                                    + "' first, or give another as --set teacher.model=MODEL"
                            : "teacher.model: " + e.getMessage(),
                    e);
        }
    }

    private static long images(Recipe recipe) {
        return recipe.stages().stream().mapToLong(StageConfig::images).sum();
    }
}
