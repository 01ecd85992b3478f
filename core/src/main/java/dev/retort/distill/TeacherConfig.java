package dev.retort.distill;

import dev.retort.card.GuidanceRange;
import dev.retort.config.Require;
import java.util.Map;
import java.util.Optional;

/**
 * The teacher of a recipe.
 *
 * @param model a model folder, a run, a checkpoint or {@code hf:OWNER/NAME}
 * @param data latents of the student's pictures at the teacher's size, where it works on latents of another size; empty
 *     else
 * @param guidance classifier-free guidance of its output, standard form; 1 for none
 * @param guidanceInput scales of which one is drawn for each image: the student is told it, and the teacher asked at it instead of
 *     at {@code guidance}
 */
public record TeacherConfig(String model, String data, double guidance, Optional<GuidanceRange> guidanceInput) {
    /** Validates. */
    public TeacherConfig {
        Require.that(!model.isBlank(), "model", model, "a model folder, a run, a checkpoint or hf:OWNER/NAME");
        Require.atLeast("guidance", guidance, 0);
        Require.that(
                guidance == 1 || guidanceInput.isEmpty(),
                "guidance",
                guidance,
                "1 where guidanceInput says at which scales the teacher is asked");
    }

    /** A teacher whose guidance the student is not told. */
    public TeacherConfig(String model, String data, double guidance) {
        this(model, data, guidance, Optional.empty());
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("data", "", "guidance", 1);
    }
}
