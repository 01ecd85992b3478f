package dev.retort.distill;

import dev.retort.card.DitSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.LayerMap;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a student the stages of a recipe train. A loss on the output reaches all of it; one on features reaches the blocks
 * up to the last that it looks at, and what feeds them.
 */
final class Reach {
    private final Recipe recipe;
    private final DitSpec student;
    private final DitSpec teacher;

    Reach(Recipe recipe, DitSpec student, DitSpec teacher) {
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
        for (StageConfig stage : recipe.stages()) {
            int blocks = blocks(stage);
            output |= blocks > student.depth();
            if (blocks < student.depth()) {
                String rest = blocks == student.depth() - 1
                        ? "block " + blocks
                        : "blocks " + blocks + " to " + (student.depth() - 1);
                sentences.add("stage " + stage.name() + " looks at no more than block " + (blocks - 1) + ": " + rest
                        + " and final_layer stay as they are in it");
            } else if (blocks == student.depth()) {
                sentences.add(
                        "stage " + stage.name() + " does not look at the output: final_layer stays as it is in it");
            }
        }
        boolean cut = recipe.init().equals("cut") && student.patch() == teacher.patch();
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
        int blocks = 0;
        for (LossConfig loss : stage.losses()) {
            blocks = Math.max(
                    blocks,
                    loss instanceof LossConfig.Feature feature
                            ? feature.pairs(student.depth(), teacher.depth()).stream()
                                            .mapToInt(LayerMap.Pair::student)
                                            .max()
                                            .orElseThrow()
                                    + 1
                            : student.depth() + 1);
        }
        return blocks;
    }
}
