package dev.retort.evaluate;

import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.ModelColumn.Role;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The outcome of a comparison in a few sentences, each present where its numbers are. */
final class ComparisonSummary {
    private ComparisonSummary() {}

    static String of(List<ModelColumn> columns) {
        ModelColumn teacher = first(columns, Role.TEACHER);
        ModelColumn student = first(columns, Role.STUDENT);
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
        Measure frechet = columns.get(0).values().keySet().stream()
                .filter(measure -> measure.name().startsWith("F")) // FD-…, or FID for the weights that define it
                .findFirst()
                .orElseThrow();
        text.append(" ").append(frechet.name()).append(": ");
        text.append(String.join(
                ", ",
                columns.stream()
                        .map(column -> column.name() + " "
                                + frechet.unit().format(column.value(frechet).orElse(Double.NaN)))
                        .toList()));
        return text.append(".").toString();
    }

    private static ModelColumn first(List<ModelColumn> columns, Role role) {
        return columns.stream()
                .filter(column -> column.role() == role)
                .findFirst()
                .orElseThrow();
    }

    private static double ratio(ModelColumn a, ModelColumn b, Measure measure) {
        return a.value(measure).orElse(Double.NaN) / b.value(measure).orElse(Double.NaN);
    }
}
