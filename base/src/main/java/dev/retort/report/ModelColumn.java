package dev.retort.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * A column of the comparison: one model, sampled one way, or the real images.
 *
 * @param name short name, unique in the report
 * @param role what it stands for
 * @param description architecture and sampling in a few words: {@code DiT 12×384, DPM-Solver++ 20 steps, guidance 1.5}
 * @param values what was measured; a measure that is absent was not measured and prints as a dash
 */
public record ModelColumn(String name, Role role, String description, Map<Measure, Double> values) {
    /** What a column stands for. */
    public enum Role {
        /** The model that was distilled. */
        TEACHER("teacher"),
        /** The model that came out. */
        STUDENT("student"),
        /** Honest zero: the teacher, sampled at what the student costs. */
        TEACHER_AT_STUDENT_COST("honest zero: teacher at the student's cost"),
        /** Honest zero: the student's network trained without a teacher on the same number of images. */
        STUDENT_FROM_SCRATCH("honest zero: trained from scratch"),
        /** Another variant, as in an ablation. */
        VARIANT("variant"),
        /** Real images against real images: the floor of every score. */
        REAL("real against real: the floor");

        private final String words;

        Role(String words) {
            this.words = words;
        }

        /** The role in the words of the report. */
        public String words() {
            return words;
        }
    }

    private static final Pattern STEPS = Pattern.compile(" in \\d+ steps?$");

    /** Copies the values, keeping their order. */
    public ModelColumn {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Name of a model's column among others of the same model: {@code student in 4 steps}. */
    public static String inSteps(String line, int steps) {
        return line + " in " + steps(steps);
    }

    /** {@code 1 step}, {@code 4 steps}. */
    public static String steps(int count) {
        return count + (count == 1 ? " step" : " steps");
    }

    /** What the names of a model's columns have in common, the number of steps left out: a line of a chart. */
    public static String line(String name) {
        return STEPS.matcher(name).replaceFirst("");
    }

    /** What was measured, if it was. */
    public OptionalDouble value(Measure measure) {
        Double value = values.get(measure);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }
}
