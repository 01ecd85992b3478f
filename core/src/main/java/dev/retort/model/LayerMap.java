package dev.retort.model;

import java.util.ArrayList;
import java.util.List;

/** Which student block is to be like which teacher block. */
public final class LayerMap {
    private LayerMap() {}

    /**
     * A pair of blocks, counted from 0.
     *
     * @param student block of the student
     * @param teacher block of the teacher
     */
    public record Pair(int student, int teacher) {}

    /** Student block i beside teacher block ⌊(i+1)·T/S⌋-1 (distillation.md §5.3): the last ones always meet. */
    public static List<Pair> uniform(int studentDepth, int teacherDepth) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < studentDepth; i++) {
            pairs.add(new Pair(i, Math.max(0, (i + 1) * teacherDepth / studentDepth - 1)));
        }
        return pairs;
    }

    /** Checks pairs against the depths; an IllegalArgumentException names the first that does not exist. */
    public static List<Pair> checked(List<Pair> pairs, int studentDepth, int teacherDepth) {
        for (Pair pair : pairs) {
            if (pair.student < 0 || pair.student >= studentDepth) {
                throw new IllegalArgumentException(
                        "map has student block " + pair.student + ", expected 0.." + (studentDepth - 1));
            }
            if (pair.teacher < 0 || pair.teacher >= teacherDepth) {
                throw new IllegalArgumentException(
                        "map has teacher block " + pair.teacher + ", expected 0.." + (teacherDepth - 1));
            }
        }
        return pairs;
    }
}
