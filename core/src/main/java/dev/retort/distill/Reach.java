package dev.retort.distill;

import dev.retort.card.NetworkSpec;
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
        int depth = student.taps().size();
        for (StageConfig stage : recipe.stages()) {
            int blocks = blocks(stage);
            output |= blocks > depth;
            if (blocks < depth) {
                String rest = blocks == depth - 1 ? "block " + blocks : "blocks " + blocks + " to " + (depth - 1);
                sentences.add("stage " + stage.name() + " looks at no more than block " + (blocks - 1) + ": " + rest
                        + " and final_layer stay as they are in it");
            } else if (blocks == depth) {
                sentences.add(
                        "stage " + stage.name() + " does not look at the output: final_layer stays as it is in it");
            }
        }
        boolean cut = recipe.init() instanceof StudentStart.Cut
                && Architectures.surgery(teacher, student).cutReachesOutput(teacher, student);
        if (!output && !cut) {
            throw new RetortException(
                    Kind.CONFIG,
                    "stages have no loss on the student's output, so that its final_layer would never be trained; add"
                            + " output, output-distribution or diffusion to a stage, or start with init=cut from a teacher"
                            + " of the same patch");
        }
        return sentences;
    }

    /** How many of the first blocks a stage trains; one more than there are where it trains the output too. */
    private int blocks(StageConfig stage) {
        return stage.losses().stream()
                .mapToInt(
                        loss -> loss.reach(student.taps().size(), teacher.taps().size()))
                .max()
                .orElseThrow();
    }
}
