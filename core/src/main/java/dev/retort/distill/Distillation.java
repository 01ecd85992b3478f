package dev.retort.distill;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.data.LatentImages;
import dev.retort.data.LatentManifest;
import dev.retort.data.PairedImages;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.distill.loss.OutputDistributionLoss;
import dev.retort.distill.loss.OutputLoss;
import dev.retort.distill.loss.Teacher;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.Watch;
import dev.retort.io.FolderLock;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.dit.Cut;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.TorchError;
import dev.retort.train.ClassNames;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.LossTerm;
import dev.retort.train.Objective;
import dev.retort.train.RunFolder;
import dev.retort.train.Stage;
import dev.retort.train.Trainer;
import dev.retort.train.TrainingJob;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Distils a student from a recipe: what {@code retort distill} does, as a call. */
public final class Distillation {
    private static final int MOST_NAMED = 3;

    private final Recipe recipe;
    private final ModelCard taught;
    private final ImageSource source;
    private final DitSpec student;
    private final List<String> findings = new ArrayList<>();

    private Distillation(Recipe recipe, ModelCard taught) {
        this.recipe = recipe;
        this.taught = taught;
        ImageSource images = Datasets.open(recipe.run().data());
        Datasets.describe(images, findings::add);
        student = recipe.network(images);
        source = paired(images);
        check();
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
        Device.Choice device = Device.choose(recipe.run().compute().device());
        Precision.Choice precision = Precision.choose(recipe.run().compute().precision(), device.device());
        notes.accept("device: " + device.device() + " (" + device.reason() + ")");
        notes.accept("precision: " + precision.precision() + " (" + precision.reason() + ")");
        try (Teacher teacher = open(recipe, device.device(), precision.precision(), notes)) {
            Distillation distillation = new Distillation(recipe, teacher.card());
            distillation.findings.forEach(notes);
            RunFolder folder = RunFolder.open(held, "distill", recipe, notes);
            try (Dit network = distillation.student(teacher, device.device());
                    Trainer trainer = new Trainer(
                            new TrainingJob(
                                    network,
                                    distillation.source,
                                    recipe.objective(),
                                    distillation.stages(teacher, device.device()),
                                    teacher.hash(),
                                    new LabelConditioner(distillation.student.condition()),
                                    distillation.student.classDropout(),
                                    recipe.run()),
                            folder,
                            precision.precision(),
                            provenance)) {
                DitSpec student = distillation.student;
                notes.accept(String.format(
                        Locale.ROOT,
                        "student: %s, %.2f M parameters (%.1f %% of the teacher's), %.1f M MACs (%.1f %%); micro-batch %d of %d",
                        student.name(),
                        network.parameterCount() / 1e6,
                        100.0 * network.stateCount() / teacher.network().stateCount(),
                        student.macs() / 1e6,
                        100.0 * student.macs() / distillation.taught.network().macs(),
                        trainer.microBatch(),
                        recipe.run().batch()));
                trainer.announce(notes);
                return trainer.run(progress, interrupted);
            }
        }
    }

    private static Teacher open(Recipe recipe, Device device, Precision precision, Consumer<String> notes) {
        Path folder = RunFolder.resolveModel(recipe.teacher().model(), Watch.saying(notes));
        Pipeline<Network> loaded = Models.load(folder, device);
        try {
            return new Teacher(
                    loaded.network(),
                    loaded.card(),
                    Models.sha256(folder),
                    recipe.teacher().guidance(),
                    precision);
        } catch (IllegalArgumentException e) {
            loaded.close();
            throw new RetortException(Kind.CONFIG, e.getMessage(), e);
        }
    }

    /** The images, each with a twin at the teacher's size where that is another. */
    private ImageSource paired(ImageSource images) {
        DitSpec taught = (DitSpec) this.taught.network();
        String data = recipe.teacher().data();
        requireSameLatents(images);
        if (taught.height() == images.height() && taught.width() == images.width()) {
            if (!data.isEmpty()) {
                throw new RetortException(
                        Kind.CONFIG,
                        "teacher.data is " + data + " but the teacher works at the size of the data; leave it empty");
            }
            return images;
        }
        int fine = Math.max(taught.height(), images.height());
        int coarse = Math.min(taught.height(), images.height());
        if (fine % coarse != 0 || taught.height() * images.width() != taught.width() * images.height()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + taught.height() + "x" + taught.width() + ", the data are "
                            + images.height() + "x" + images.width()
                            + "; one must be the other enlarged by a whole number, so choose another size");
        }
        if (images instanceof LatentImages latents) {
            return new PairedImages(images, latentTwin(latents, data, taught));
        }
        if (!data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data is " + data
                            + " but the data are pictures, which are read at both sizes; leave it empty");
        }
        if (taught.height() != taught.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + taught.height() + "x" + taught.width()
                            + " pixels; another size than the data's must be square");
        }
        return new PairedImages(images, Datasets.open(recipe.run().data().withSize(taught.height())));
    }

    private LatentImages latentTwin(LatentImages images, String data, DitSpec taught) {
        LatentManifest ours = images.manifest();
        String wanted = ours.sourceName() + " as latents of " + taught.height() + "x" + taught.width();
        if (data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the data are latents of " + ours.height() + "x" + ours.width()
                            + ", the teacher works at another size; encode " + wanted
                            + " with 'retort encode' and give that folder as teacher.data");
        }
        LatentImages twin = LatentImages.open(Path.of(data));
        LatentManifest theirs = twin.manifest();
        boolean same = theirs.sourceName().equals(ours.sourceName())
                && theirs.source().path().equals(ours.source().path())
                && theirs.images() == ours.images()
                && theirs.classNames().equals(ours.classNames());
        if (!same || twin.height() != taught.height() || twin.width() != taught.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data " + data + " holds " + theirs.images() + " pictures of " + theirs.sourceName()
                            + " as latents of " + twin.height() + "x" + twin.width() + ", expected the " + ours.images()
                            + " of " + wanted + "; encode the same pictures at the teacher's size");
        }
        requireSameLatents(twin);
        return twin;
    }

    private void check() {
        DitSpec taught = (DitSpec) this.taught.network();
        ImageSource seen = source.twin().orElse(source);
        String theirs = this.taught.process().noiseSchedule().hash();
        if (!recipe.objective().process().noiseSchedule().hash().equals(theirs)) {
            throw new RetortException(
                    Kind.CONFIG,
                    schedule(recipe.objective()) + " but the teacher was trained on "
                            + this.taught.process().schedule()
                            + " with other values; use the teacher's schedule, as both see the same noisy images");
        }
        boolean divergence = recipe.stages().stream()
                .anyMatch(stage -> stage.losses().stream().anyMatch(LossConfig.OutputDistribution.class::isInstance));
        if (divergence && seen != source) {
            throw new RetortException(
                    Kind.CONFIG,
                    "stages ask for output-distribution, but teacher and student work at different sizes;"
                            + " use output or feature there");
        }
        if (taught.height() != seen.height()
                || taught.width() != seen.width()
                || taught.channels() != seen.channels()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data are " + seen.channels() + "x" + seen.height() + "x" + seen.width()
                            + " but the teacher makes "
                            + taught.channels() + "x" + taught.height() + "x" + taught.width()
                            + " images; use the data it was trained on");
        }
        if (taught.classes() != student.classes() || !taught.hasNullClass() && student.classDropout() > 0) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the student has " + student.classes() + " classes and drops " + student.classDropout()
                            + " of its labels, the teacher has " + taught.classes() + " classes and "
                            + (taught.hasNullClass() ? "a" : "no") + " null class; both are asked the same labels");
        }
        checkClasses(source.classNames());
        try {
            Teacher.requireGuidable(taught, recipe.teacher().guidance());
            if (recipe.init().equals("cut")) {
                Cut.requireFit(taught, student);
            }
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, e.getMessage(), e);
        }
        findings.addAll(new Reach(recipe, student, taught).sentences());
    }

    /** The field that decides how data are noised, and what it says. */
    private static String schedule(Objective objective) {
        return (objective instanceof Objective.Ddpm ? "objective.process.schedule is " : "objective.type is ")
                + objective.process().schedule();
    }

    private void checkClasses(List<String> ours) {
        List<String> theirs = taught.classes();
        List<String> differences = ClassNames.differences(theirs, ours);
        if (differences.isEmpty() || ClassNames.unknown(theirs) || ClassNames.unknown(ours)) {
            return;
        }
        String sentence = "the teacher was trained with other classes than the data have: "
                + FirstFew.of(differences, MOST_NAMED);
        if (ClassNames.moved(theirs, ours)) {
            throw new RetortException(
                    Kind.CONFIG,
                    sentence + "; labels would mean something else to it, so use the data it was trained on");
        }
        findings.add(sentence);
    }

    private void requireSameLatents(ImageSource source) {
        AutoencoderCard theirs = taught.autoencoder();
        AutoencoderCard ours = source.autoencoder().orElse(null);
        if (theirs == null && ours == null) {
            return;
        }
        if (theirs == null || ours == null) {
            throw new RetortException(
                    Kind.CONFIG,
                    theirs == null
                            ? "data are latents but the teacher works on pixels; use the pictures it was trained on"
                            : "data are pictures but the teacher works on latents; encode them with 'retort encode --vae "
                                    + theirs.path() + "' and set data.kind=latents");
        }
        if (!theirs.sameLatents(ours)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data were encoded by " + ours.path() + " (" + ours.space() + "), those of the teacher by "
                            + theirs.path() + " (" + theirs.space() + "); encode with the teacher's autoencoder");
        }
    }

    private Dit student(Teacher teacher, Device device) {
        try (Scope scope = Scope.open()) {
            Dit network = new Dit(student, Init.of(recipe.run().seed(), device));
            if (recipe.init().equals("cut")) {
                Cut.apply((Dit) teacher.network(), network);
            }
            return network;
        }
    }

    /** Terms are made once and shared by the stages that name them alike, so that a connector lives through the run. */
    private List<Stage> stages(Teacher teacher, Device device) {
        Map<String, LossTerm> made = new java.util.HashMap<>();
        List<Stage> stages = new ArrayList<>();
        for (StageConfig stage : recipe.stages()) {
            List<Stage.Weighted> terms = new ArrayList<>();
            for (LossConfig loss : stage.losses()) {
                LossTerm term = made.computeIfAbsent(settings(loss), key -> term(loss, teacher, device));
                terms.add(new Stage.Weighted(term, loss.from(), loss.to()));
            }
            stages.add(new Stage(stage.name(), stage.images(), terms));
        }
        return stages;
    }

    /** A loss without its weights: equal settings mean the same term. */
    private static String settings(LossConfig loss) {
        if (loss instanceof LossConfig.Output output) {
            return "output " + output.space();
        } else if (loss instanceof LossConfig.OutputDistribution distribution) {
            return "output-distribution " + distribution.temperature();
        } else if (loss instanceof LossConfig.Feature feature) {
            return "feature " + feature.map() + feature.normalise() + feature.outlierStd();
        }
        return "diffusion";
    }

    private LossTerm term(LossConfig loss, Teacher teacher, Device device) {
        var schedule = recipe.objective().process().noiseSchedule();
        var prediction = recipe.objective().process().prediction();
        if (loss instanceof LossConfig.Output output) {
            return new OutputLoss(teacher, schedule, prediction, output.space());
        } else if (loss instanceof LossConfig.OutputDistribution distribution) {
            boolean learned = student.learnSigma() && taught.network().learnSigma();
            return new OutputDistributionLoss(teacher, schedule, prediction, learned, distribution.temperature());
        } else if (loss instanceof LossConfig.Feature feature) {
            return new FeatureLoss(
                    teacher,
                    student,
                    feature.pairs(student.depth(), ((DitSpec) taught.network()).depth()),
                    feature.normalise(),
                    feature.outlierStd(),
                    Init.of(recipe.run().seed(), device));
        }
        return new DiffusionLoss(recipe.objective());
    }
}
