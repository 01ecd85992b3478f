package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Collection;

/**
 * Checks for compact constructors. Each message opens with the field's name, so that {@link Configs} can put the path
 * of the surrounding record before it: {@code model.depth is 0, expected at least 1}.
 */
public final class Require {
    private Require() {}

    /** Refuses a value below the least one, infinite and undefined ones too. */
    public static void atLeast(String field, double value, double least) {
        that(value >= least && value < Double.POSITIVE_INFINITY, field, value, "at least " + number(least));
    }

    /** Refuses zero, negative, infinite and undefined values. */
    public static void positive(String field, double value) {
        that(value > 0 && Double.isFinite(value), field, value, "a positive number");
    }

    /** Refuses a value outside the closed range. */
    public static void between(String field, double value, double least, double most) {
        that(value >= least && value <= most, field, value, "between " + number(least) + " and " + number(most));
    }

    /** Refuses an empty list or map. */
    public static void notEmpty(String field, Collection<?> values) {
        that(!values.isEmpty(), field, "empty", "at least one entry");
    }

    /** Refuses a word that is not one of the known ones, and proposes the nearest. */
    public static void oneOf(String field, String value, Collection<String> known) {
        if (!known.contains(value)) {
            throw new RetortException(
                    Kind.CONFIG, field + " is '" + value + "', which is not known" + Suggestion.among(value, known));
        }
    }

    /** Refuses the value, naming the field, the value and what was expected, unless the condition holds. */
    public static void that(boolean condition, String field, Object value, String expected) {
        if (!condition) {
            String shown = value instanceof Double number
                    ? number(number)
                    : value instanceof Enum<?> word ? Vocabulary.dashed(word.name()) : String.valueOf(value);
            throw new RetortException(Kind.CONFIG, field + " is " + shown + ", expected " + expected);
        }
    }

    /** A number as somebody would write it: a whole one without a fraction. */
    static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
