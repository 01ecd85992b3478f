package dev.retort.distill;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.hub.DownloadListener;
import dev.retort.io.FolderLock;
import dev.retort.model.Network;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.run.RunFolder;
import dev.retort.torch.Precision;
import dev.retort.torch.TorchError;
import dev.retort.train.ComputeConfig;
import dev.retort.train.Task;
import dev.retort.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Distils a student from a recipe: what {@code retort distill} does, as a call. */
public final class Distillation {
    private final ImageSource source;
    private final NetworkSpec student;
    private final List<String> findings = new ArrayList<>();

    private Distillation(Recipe recipe, ModelCard taught) {
        ImageSource images = recipe.run().data().open();
        Datasets.describe(images, findings::add);
        source = recipe.seen(new Pairing(recipe, taught).paired(images), taught);
        student = recipe.network(source, taught);
        recipe.domain()
                .ifPresent(some -> findings.add(
                        "domain: " + (source.size() == ImageSource.INFINITE ? "" : source.size() + " images of ")
                                + String.join(", ", some.classes())));
        findings.addAll(new Checks(recipe, taught, student, source).findings());
    }

    /**
     * Checks a recipe against its data and its teacher, without training: what {@link #run} would refuse is refused.
     *
     * @param teacher the teacher's card
     * @return what is worth knowing before it runs, a sentence each
     */
    public static List<String> check(Recipe recipe, ModelCard teacher) {
        return List.copyOf(new Distillation(recipe, teacher).findings);
    }

    /**
     * Distils, or resumes, and writes the student.
     *
     * @param run the run's folder, new or to be resumed
     * @param notes is told, once each, what was chosen and why
     * @param interrupted polled after every step
     * @return the student's model folder
     */
    public static Path run(
            Recipe recipe,
            Path run,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (FolderLock held = FolderLock.take(run, notes)) {
            return run(recipe, held, provenance, notes, progress, interrupted);
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "preparing the run", Trainer.NO_MEMORY);
        }
    }

    private static Path run(
            Recipe recipe,
            FolderLock held,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        ComputeConfig.Choice on = recipe.run().compute().choose(notes);
        Path folder = Models.locate(recipe.teacher().model(), DownloadListener.saying(notes));
        Models.card(folder).requireFloats("teacher.model " + folder, "teach");
        try (Pipeline<Network> teacher = Models.load(folder, on.device())) {
            Distillation distillation = new Distillation(recipe, teacher.card());
            distillation.findings.forEach(notes);
            try (RecipeBuilder builder = new RecipeBuilder(
                    recipe,
                    distillation.student,
                    distillation.source,
                    teacher,
                    Models.sha256(folder),
                    on.device(),
                    on.precision())) {
                // only now: a recipe that cannot be built leaves no folder behind that a corrected one would not fit
                RunFolder into = RunFolder.open(held, "distill", recipe, notes);
                return train(
                        recipe,
                        builder,
                        teacher.network(),
                        into,
                        on.precision(),
                        provenance,
                        notes,
                        progress,
                        interrupted);
            }
        }
    }

    private static Path train(
            Recipe recipe,
            RecipeBuilder builder,
            Network teacher,
            RunFolder into,
            Precision precision,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (Task task = builder.task(provenance);
                Trainer trainer = new Trainer(
                        task, builder.players(), builder.stages(), recipe.run().loop(), into, precision)) {
            Network network = builder.network();
            NetworkSpec student = network.spec();
            notes.accept(String.format(
                    Locale.ROOT,
                    "student: %s, %.2f M parameters (%.1f %% of the teacher's), %.1f M MACs (%.1f %%); micro-batch %d of %d",
                    student.name(),
                    network.parameterCount() / 1e6,
                    100.0 * network.stateCount() / teacher.stateCount(),
                    student.macs() / 1e6,
                    100.0 * student.macs() / teacher.spec().macs(),
                    trainer.microBatch(),
                    recipe.run().batch()));
            trainer.announce(notes);
            return trainer.run(progress, interrupted);
        }
    }
}
