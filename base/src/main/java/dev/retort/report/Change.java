package dev.retort.report;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A model's value beside the teacher's, in words.
 *
 * @param text {@code 3.4×}, {@code −62 %}, {@code +0.021} or {@code −1.2 pt}
 * @param tone {@code good}, {@code bad} or {@code same}
 */
record Change(String text, String tone) {
    private static final double NOTABLE = 0.01;

    /** Empty where one of the two is missing, not finite, or no comparison is meant. */
    static Optional<Change> of(Measure measure, OptionalDouble teacher, OptionalDouble model) {
        if (teacher.isEmpty() || model.isEmpty()) {
            return Optional.empty();
        }
        double base = teacher.getAsDouble();
        double value = model.getAsDouble();
        if (!Double.isFinite(base) || !Double.isFinite(value)) {
            return Optional.empty();
        }
        boolean relative = measure.better() == Measure.Better.LOWER || measure.unit() == Unit.PER_SECOND;
        if (relative && !(base > 0)) {
            return Optional.empty();
        }
        double change = relative ? value / base - 1 : value - base;
        return Optional.of(new Change(words(measure, value / base, change), tone(measure, change)));
    }

    private static String words(Measure measure, double ratio, double change) {
        if (measure.unit() == Unit.PER_SECOND) {
            return Unit.significant(ratio, 3) + "×";
        }
        if (measure.better() == Measure.Better.LOWER) {
            if (Math.abs(change) < 0.005) {
                return "same";
            }
            return ratio >= 10
                    ? Unit.significant(ratio, 3) + "×"
                    : signed(String.format(Locale.ROOT, "%+.0f %%", 100 * change));
        }
        return signed(
                measure.unit() == Unit.PERCENT
                        ? String.format(Locale.ROOT, "%+.1f pt", 100 * change)
                        : String.format(Locale.ROOT, "%+.3f", change));
    }

    private static String tone(Measure measure, double change) {
        if (Math.abs(change) < NOTABLE || measure.better() == Measure.Better.NEITHER) {
            return "same";
        }
        return change < 0 == (measure.better() == Measure.Better.LOWER) ? "good" : "bad";
    }

    private static String signed(String text) {
        return text.replace('-', '−');
    }
}
