package dev.retort.evaluate;

import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/** The outcome of a comparison in a few sentences, each present where its numbers are. */
final class ComparisonSummary {
    private static final int MOST = 6; // of more the table tells the distances

    private ComparisonSummary() {}

    /** @param columns teacher, student, and whatever stands beside them */
    static String of(List<ModelColumn> columns) {
        ModelColumn teacher = columns.get(0);
        ModelColumn student = columns.get(1);
        StringBuilder text = new StringBuilder(student.name());
        text.append(String.format(
                Locale.ROOT,
                " has %.0f %% of the parameters of %s and %.0f %% of its multiply-accumulates an image.",
                100 * ratio(student, teacher, Measure.PARAMETERS),
                teacher.name(),
                100 * ratio(student, teacher, Cost.MACS_PER_IMAGE)));
        OptionalDouble speed = student.value(Cost.SPEED_UP);
        if (speed.isPresent()) {
            double memory = 1 - ratio(student, teacher, Measure.PEAK_MEMORY);
            text.append(String.format(
                    Locale.ROOT,
                    " It draws %.2f times as many images a second and needs %.0f %% %s memory.",
                    speed.getAsDouble(),
                    100 * Math.abs(memory),
                    memory >= 0 ? "less" : "more"));
        }
        for (Measure measure :
                columns.size() > MOST ? Set.<Measure>of() : teacher.values().keySet()) {
            if (measure.name().startsWith("F")) { // FD-…, or FID for the weights that define it
                text.append(" ").append(measure.name()).append(": ").append(values(columns, measure));
            }
        }
        return text.toString();
    }

    private static String values(List<ModelColumn> columns, Measure measure) {
        return columns.stream()
                        .map(column -> column.name() + " "
                                + measure.unit().format(column.value(measure).orElse(Double.NaN)))
                        .collect(Collectors.joining(", "))
                + ".";
    }

    private static double ratio(ModelColumn a, ModelColumn b, Measure measure) {
        return a.value(measure).orElse(Double.NaN) / b.value(measure).orElse(Double.NaN);
    }
}
