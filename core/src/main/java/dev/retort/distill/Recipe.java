package dev.retort.distill;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.NetworkConfig;
import dev.retort.train.Objective;
import dev.retort.train.RunConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A distillation: who learns from whom, in which stages. Recipes are data; nobody writes a training loop to try a method.
 *
 * @param teacher who is asked
 * @param student the network that learns
 * @param init its first weights
 * @param objective how data are noised and what the student predicts; the schedule must be the teacher's
 * @param stages what is minimised, one after another
 * @param run everything that any run has
 * @param domain for which of the teacher's classes; empty for all
 */
public record Recipe(
        TeacherConfig teacher,
        NetworkConfig student,
        StudentStart init,
        Objective objective,
        List<StageConfig> stages,
        RunConfig run,
        Optional<DomainConfig> domain) {
    /** Validates. */
    public Recipe {
        Require.notEmpty("stages", stages);
        List<String> names = stages.stream().map(StageConfig::name).toList();
        for (int i = 0; i < stages.size(); i++) {
            String former = stages.get(i).teacher();
            List<String> earlier = names.subList(0, i);
            Require.that(
                    former.isEmpty() || earlier.contains(former),
                    "stages." + i + ".teacher",
                    former,
                    "the name of an earlier stage " + earlier + ", or nothing for the recipe's teacher");
            Require.that(
                    former.isEmpty() || names.indexOf(former) == names.lastIndexOf(former),
                    "stages." + i + ".teacher",
                    former,
                    "a name that one stage alone has");
            requireQuantized(stages, i, names.indexOf(former));
        }
    }

    /** Once quantised, a student stays so, in the same way, and teaches nobody. */
    private static void requireQuantized(List<StageConfig> stages, int stage, int teacher) {
        Optional<QuantizeConfig> now = stages.get(stage).quantize();
        Optional<QuantizeConfig> before =
                stage == 0 ? Optional.empty() : stages.get(stage - 1).quantize();
        String field = "stages." + stage;
        Require.that(
                before.isEmpty() || now.equals(before),
                field + ".quantize",
                now.isPresent() ? "another" : "left out",
                "what the stage before says: the run's result is quantised as its last stages trained it to be");
        Require.that(
                teacher < 0 || stages.get(teacher).quantize().isEmpty(),
                field + ".teacher",
                stages.get(stage).teacher(),
                "a stage whose student is not quantised: a teacher computes in full precision");
        if (now.isPresent()) {
            stages.get(stage).losses().stream()
                    .filter(LossConfig::takesDerivative)
                    .findFirst()
                    .ifPresent(loss -> {
                        throw new RetortException(
                                Kind.CONFIG,
                                field + ".losses asks for " + loss.type()
                                        + ", which takes a derivative of the student's"
                                        + " answer along its path, but " + field
                                        + ".quantize rounds, which has none; quantise in a stage of its own after it, by"
                                        + " progressive with ratio 1 or output");
                    });
        }
    }

    /** A recipe for all classes. */
    public Recipe(
            TeacherConfig teacher,
            NetworkConfig student,
            StudentStart init,
            Objective objective,
            List<StageConfig> stages,
            RunConfig run) {
        this(teacher, student, init, objective, stages, run, Optional.empty());
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("objective", Objective.Flow.PIXELS);
    }

    /** The student for the images, told what its stages tell it, with the outputs that they need; what does not go with them is refused. */
    public NetworkSpec network(ImageSource source, ModelCard taught) {
        objective.requireFit(source);
        NetworkSpec plain = student.spec("student", taught, source, objective.learnSigma());
        try {
            return plain.with(plain.scalars().and(told())).withOutputs(outputs());
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "student: " + e.getMessage(), e);
        }
    }

    /** Those of some pictures that it is about, under the teacher's labels where it has a domain. */
    public ImageSource seen(ImageSource images, ModelCard taught) {
        return domain.map(some -> some.of(images, taught)).orElse(images);
    }

    /** The labels of its domain; none where it is about all. */
    List<Integer> labels(ModelCard taught) {
        return domain.map(some -> some.labels(taught)).orElse(List.of());
    }

    private int outputs() {
        return stages.stream()
                .flatMap(stage -> stage.losses().stream())
                .mapToInt(LossConfig::outputs)
                .max()
                .orElse(1);
    }

    private ScalarInputs told() {
        ScalarInputs told = new ScalarInputs(teacher.guidanceInput().isPresent(), 0);
        for (StageConfig stage : stages) {
            for (LossConfig loss : stage.losses()) {
                told = told.and(loss.tells(this));
            }
        }
        return told;
    }
}
