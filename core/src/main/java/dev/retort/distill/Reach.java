package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.card.TapPoint;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.Architectures;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a student the stages of a recipe train. A loss on the output reaches all of it; one on features reaches the blocks
 * up to the last that it looks at, and what feeds them.
 */
final class Reach {
    private final Recipe recipe;
    private final NetworkSpec student;
    private final NetworkSpec teacher;

    Reach(Recipe recipe, NetworkSpec student, NetworkSpec teacher) {
        this.recipe = recipe;
        this.student = student;
        this.teacher = teacher;
    }

    /**
     * A sentence for each stage that leaves a part of the student as it is.
     *
     * @throws RetortException of kind CONFIG when no stage trains the output and it does not come from the teacher either
     */
    List<String> sentences() {
        List<String> sentences = new ArrayList<>();
        boolean output = false;
        List<String> names = student.taps().stream().map(TapPoint::name).toList();
        int depth = names.size();
        for (StageConfig stage : recipe.stages()) {
            int blocks = blocks(stage);
            output |= blocks > depth;
            if (blocks < depth) {
                String rest = names.get(blocks) + (blocks == depth - 1 ? "" : " to " + names.get(depth - 1));
                sentences.add("stage " + stage.name() + " looks at nothing behind " + names.get(blocks - 1) + ": "
                        + rest + " and the output layer stay as they are in it");
            } else if (blocks == depth) {
                sentences.add("stage " + stage.name()
                        + " does not look at the output: the output layer stays as it is in it");
            }
        }
        boolean cut = recipe.init() instanceof StudentStart.Cut
                && Architectures.surgery(teacher, student).cutReachesOutput(teacher, student);
        if (!output && !cut) {
            throw new RetortException(
                    Kind.CONFIG,
                    "stages have no loss on the student's output, so that its output layer would never be trained; add"
                            + " output, output-distribution or diffusion to a stage, or start with init=cut from a teacher"
                            + " whose output layer fits the student");
        }
        return sentences;
    }

    /** How many of the first blocks a stage trains; one more than there are where it trains the output too. */
    private int blocks(StageConfig stage) {
        return stage.losses().stream()
                .mapToInt(loss -> loss.reach(student, teacher))
                .max()
                .orElseThrow();
    }
}
