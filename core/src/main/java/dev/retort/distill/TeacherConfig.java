package dev.retort.distill;

import dev.retort.config.Require;
import java.util.Map;

/**
 * The teacher of a recipe.
 *
 * @param model a model folder, a run, a checkpoint or {@code hf:OWNER/NAME}
 * @param data latents of the student's pictures at the teacher's size, where it works on latents of another size; empty
 *     else
 * @param guidance classifier-free guidance of its output, standard form; 1 for none
 */
public record TeacherConfig(String model, String data, double guidance) {
    /** Validates. */
    public TeacherConfig {
        Require.that(!model.isBlank(), "model", model, "a model folder, a run, a checkpoint or hf:OWNER/NAME");
        Require.atLeast("guidance", guidance, 0);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("data", "", "guidance", 1);
    }
}
