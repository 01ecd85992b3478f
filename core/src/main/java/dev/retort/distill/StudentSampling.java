package dev.retort.distill;

import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.TrainedFor;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.Models;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * For which ways of sampling a recipe trains its student, and whether its teacher was trained for what the recipe asks of it.
 *
 * @param taught what the recipe's teacher is
 */
record StudentSampling(Recipe recipe, ModelCard taught) {
    /** What the stages make of the student; a recipe that guides an ODE with guidance in it once more says that this is no bound. */
    TrainedFor trainedFor() {
        return trainedFor(made(ended()));
    }

    private TrainedFor trainedFor(TrainedFor made) {
        return (guidedTwice(made) ? TrainedFor.ANY : made)
                .withGuidanceInput(recipe.teacher().guidanceInput())
                .ofClasses(recipe.labels(taught));
    }

    private boolean guidedTwice(TrainedFor made) {
        return made.solver() == null
                && made.guidance() != 1
                && recipe.run().sampling().guidanceScale() != 1;
    }

    /** The last stage binds. */
    private TrainedFor made(Map<String, TrainedFor> ended) {
        List<StageConfig> stages = recipe.stages();
        return ended.get(stages.get(stages.size() - 1).name());
    }

    /** What the student is trained for at the end of each stage, by its name; without one, what the teacher is. */
    private Map<String, TrainedFor> ended() {
        TrainedFor original = taught.trainedFor();
        TrainedFor now = start();
        Map<String, TrainedFor> ended = new HashMap<>();
        ended.put("", original.guided(recipe.teacher().guidance()));
        for (StageConfig stage : recipe.stages()) {
            StepLoss.Lesson lesson =
                    new StepLoss.Lesson(recipe.run().sampling(), now, ended.get(stage.teacher()), original);
            now = lasting(stage.losses()).stream()
                    .filter(loss -> !(loss instanceof Feature)) // says nothing of the output
                    .map(loss -> trainedFor(loss, lesson))
                    .reduce(TrainedFor::and)
                    .orElse(now);
            ended.put(stage.name(), now);
        }
        return ended;
    }

    private TrainedFor start() {
        if (recipe.init() instanceof StudentStart.From from) {
            try {
                return Models.card(from.folder()).trainedFor();
            } catch (RetortException e) {
                throw new RetortException(e.kind(), "init: " + e.getMessage(), e);
            }
        }
        return recipe.init() instanceof StudentStart.Cut ? taught.trainedFor() : TrainedFor.ANY;
    }

    /** Those that are still there at the end of a stage. */
    private static List<LossConfig> lasting(List<LossConfig> losses) {
        return losses.stream().filter(loss -> loss.weight().to() > 0).toList();
    }

    private static TrainedFor trainedFor(LossConfig loss, StepLoss.Lesson lesson) {
        if (loss instanceof StepLoss step) {
            return step.trains(lesson);
        }
        return loss instanceof LossConfig.Diffusion ? TrainedFor.ANY : lesson.taught();
    }

    /**
     * Refuses a recipe whose teacher cannot teach it, or whose {@code run.sampling} is not what it trains for.
     *
     * @return what is worth knowing, a sentence each
     * @throws RetortException of kind CONFIG
     */
    List<String> findings() {
        TrainedFor original = taught.trainedFor();
        if (original.guidance() != 1 && recipe.teacher().guidance() != 1) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.guidance is " + recipe.teacher().guidance() + ", expected 1: a guidance of "
                            + original.guidance() + " is baked into this teacher");
        }
        Map<String, TrainedFor> ended = ended();
        for (StageConfig stage : recipe.stages()) {
            for (LossConfig loss : stage.losses()) {
                if (loss.teacherCalls() > 0 && !canTeach(loss, stage.teacher(), ended.get(stage.teacher()))) {
                    throw cannotTeach(loss, stage, ended.get(stage.teacher()));
                }
            }
        }
        TrainedFor made = made(ended);
        try {
            trainedFor(made)
                    .requireFit(
                            recipe.objective().process().noiseSchedule(),
                            recipe.run().sampling());
        } catch (RetortException e) {
            throw new RetortException(Kind.CONFIG, "run.sampling: " + e.getMessage(), e);
        }
        return guidedTwice(made)
                ? List.of("a guidance of " + made.guidance()
                        + " becomes the student's own output, and run.sampling guides by "
                        + recipe.run().sampling().guidanceScale()
                        + " on top; set run.sampling.guidanceScale to 1 unless that is meant")
                : List.of();
    }

    private RetortException cannotTeach(LossConfig loss, StageConfig stage, TrainedFor knows) {
        return new RetortException(
                Kind.CONFIG,
                stage.teacher().isEmpty()
                        ? "stages ask for " + loss.type() + ", but the teacher "
                                + recipe.teacher().model()
                                + " was itself distilled, to "
                                + taught.trainedFor().text()
                                + ": of what this loss asks of it it knows nothing; take the model that it was distilled"
                                + " from, or keep its own steps by 'retort trajectories' and learn from these by trajectory"
                        : "stages." + recipe.stages().indexOf(stage) + ".teacher is " + stage.teacher()
                                + ", whose student was trained for " + knows.text()
                                + " alone, but " + loss.type()
                                + " asks at other times; let steps times ratio be that number of"
                                + " steps on one grid, or name an earlier stage");
    }

    private boolean canTeach(LossConfig loss, String teacher, TrainedFor knows) {
        if (!(loss instanceof StepLoss step)) {
            return knows.atAllTimes();
        }
        ProcessSpec process =
                teacher.isEmpty() ? taught.process() : recipe.objective().process();
        return step.teacherTimes(recipe)
                .map(times -> times.length == 0 || knows.followsOde(process, times))
                .orElseGet(() -> knows.solver() == null);
    }
}
