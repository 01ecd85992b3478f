package dev.retort.distill;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Prediction;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Predictor;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.train.ClassNames;
import dev.retort.train.Objective;
import dev.retort.train.Ramp;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether recipe, data and teacher go together.
 *
 * @param recipe the recipe
 * @param taught what the teacher is
 * @param student what the student is
 * @param source the images, paired
 */
record Checks(Recipe recipe, ModelCard taught, NetworkSpec student, ImageSource source) {
    private static final int MOST_NAMED = 3;

    /**
     * Refuses what does not go together.
     *
     * @return what is worth knowing, a sentence each
     */
    List<String> findings() {
        List<String> findings = new ArrayList<>();
        NetworkSpec teacher = taught.network();
        ImageSource seen = source.paired().orElse(source);
        String theirs = taught.process().noiseSchedule().hash();
        if (!recipe.objective().process().noiseSchedule().hash().equals(theirs)) {
            throw new RetortException(
                    Kind.CONFIG,
                    schedule(recipe.objective()) + " but the teacher was trained on "
                            + taught.process().schedule().text()
                            + " with other values; use the teacher's schedule, as both see the same noisy images");
        }
        List<LossConfig> losses = recipe.stages().stream()
                .flatMap(stage -> stage.losses().stream())
                .toList();
        losses.stream()
                .filter(loss -> !loss.bridgesSizes() && seen != source)
                .findFirst()
                .ifPresent(loss -> {
                    throw new RetortException(
                            Kind.CONFIG,
                            "stages ask for " + loss.type() + ", but teacher and student work at different sizes;"
                                    + " use output or feature there");
                });
        requireUsualTimes(losses);
        losses.forEach(loss -> loss.requireFit(recipe));
        if (teacher.outputs() > 1) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.model is " + recipe.teacher().model() + ", a network of " + teacher.outputs()
                            + " outputs, which says nothing of a single time; take the model that it was distilled from");
        }
        requireGuidanceInput(teacher, losses);
        findings.addAll(new StudentSampling(recipe, taught).findings());
        if (teacher.height() != seen.height()
                || teacher.width() != seen.width()
                || teacher.channels() != seen.channels()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data are " + seen.channels() + "x" + seen.height() + "x" + seen.width()
                            + " but the teacher makes "
                            + teacher.channels() + "x" + teacher.height() + "x" + teacher.width()
                            + " images; use the data it was trained on");
        }
        if (teacher.classes() != student.classes()
                || !teacher.hasNullClass() && recipe.student().dropout() > 0) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the student has " + student.classes() + " classes and drops "
                            + recipe.student().dropout()
                            + " of its labels, the teacher has " + teacher.classes() + " classes and "
                            + (teacher.hasNullClass() ? "a" : "no") + " null class; both are asked the same labels");
        }
        checkClasses(source.classNames(), findings);
        requireKnown();
        try {
            requireGuidable(teacher, recipe.teacher().guidance());
            if (recipe.init() instanceof StudentStart.Cut) {
                Architectures.surgery(teacher, student).requireCut(teacher, student);
            } else if (recipe.init() instanceof StudentStart.From from) {
                requireStart(from);
            }
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, e.getMessage(), e);
        }
        findings.addAll(new Reach(recipe, student, teacher).sentences());
        return findings;
    }

    /** Refuses a weight over the noise of losses that choose times of their own. */
    private static void requireUsualTimes(List<LossConfig> losses) {
        losses.stream()
                .filter(loss -> loss.weight().over() == Ramp.Span.NOISE && loss instanceof StepLoss)
                .findFirst()
                .ifPresent(loss -> {
                    throw new RetortException(
                            Kind.CONFIG,
                            "weight.over is noise for " + loss.type()
                                    + ", which asks at times of its own; let it be stage or run, or give a weight over noise to"
                                    + " diffusion, output, output-distribution or feature");
                });
    }

    /** Refuses first weights that are no part of a network which predicts the same. */
    private void requireStart(StudentStart.From from) {
        ModelCard other = Models.card(from.folder());
        Architectures.surgery(other.network(), student).requireCut(other.network(), student);
        ProcessSpec wanted = recipe.objective().process();
        if (other.process().prediction() != wanted.prediction()
                || !other.process()
                        .noiseSchedule()
                        .hash()
                        .equals(wanted.noiseSchedule().hash())) {
            throw new IllegalArgumentException("init is " + from.text() + ", a model that predicts "
                    + other.process().prediction() + " on "
                    + other.process().schedule().text() + "; the student is to predict "
                    + wanted.prediction() + " on " + wanted.schedule().text() + ", so start from a model that does");
        }
        if (taught.text() != null
                && other.text() != null
                && !taught.text().tokenizers().equals(other.text().tokenizers())) {
            throw new IllegalArgumentException("init is " + from.text()
                    + ", whose tokenizer is not the teacher's, so its embeddings are of other tokens; start from the"
                    + " teacher (cut), or from a model that was made of it");
        }
    }

    /** Refuses a number of steps that a student of the recipe cannot take. */
    static void requireSteps(Recipe recipe, String type, int steps) {
        Prediction prediction = recipe.objective().process().prediction();
        if (prediction == Prediction.EPSILON && steps == 1) {
            throw new RetortException(
                    Kind.CONFIG,
                    type
                            + " asks for 1 step of a student that predicts epsilon, which says nothing of the image where all"
                            + " is noise; let the objective predict v, x0 or flow, or ask for 2 steps");
        }
        try {
            recipe.run()
                    .sampling()
                    .withSteps(steps)
                    .grid()
                    .on(recipe.objective().process().noiseSchedule(), steps);
        } catch (IllegalArgumentException | RetortException e) {
            throw new RetortException(
                    Kind.CONFIG, type + " asks for " + steps + " steps, but run.sampling." + e.getMessage(), e);
        }
    }

    /** Refuses scales that the student is told where a loss holds at one scale alone, or the teacher cannot be asked at others. */
    private void requireGuidanceInput(NetworkSpec teacher, List<LossConfig> losses) {
        if (recipe.teacher().guidanceInput().isEmpty()) {
            return;
        }
        losses.stream()
                .filter(loss -> loss.teacherCalls() == 0 || loss instanceof GameLoss)
                .findFirst()
                .ifPresent(loss -> {
                    throw new RetortException(
                            Kind.CONFIG,
                            "teacher.guidanceInput is given, but stages ask for " + loss.type()
                                    + ", which is not taught what is wanted at each scale; use losses that are, such as"
                                    + " output, progressive or consistency with distil=true, or give one teacher.guidance");
                });
        if (!teacher.guidable()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.guidanceInput is given, but the teacher was trained without label dropout, so that it cannot be"
                            + " guided; leave it out");
        }
    }

    /** The field that decides how data are noised, and what it says. */
    private static String schedule(Objective objective) {
        return (objective instanceof Objective.Ddpm ? "objective.process.schedule is " : "objective.type is ")
                + objective.process().schedule().text();
    }

    private void checkClasses(List<String> ours, List<String> findings) {
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

    /** Refuses to ask a teacher about classes that it was not shown itself. */
    private void requireKnown() {
        List<Integer> known = taught.trainedFor().classes();
        List<Integer> asked = recipe.labels(taught);
        if (!known.isEmpty() && (asked.isEmpty() || !known.containsAll(asked))) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher was distilled for "
                            + FirstFew.of(
                                    known.stream().map(taught.classes()::get).toList(), MOST_NAMED)
                            + " alone; let domain.classes name no others");
        }
    }

    /** Refuses, as an IllegalArgumentException, guidance of a teacher that was never asked without a class. */
    private static void requireGuidable(NetworkSpec teacher, double guidance) {
        try {
            Predictor.requireGuidable(teacher, guidance);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("teacher." + e.getMessage(), e);
        }
    }
}
