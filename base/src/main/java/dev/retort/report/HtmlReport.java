package dev.retort.report;

import dev.retort.error.RetortException;
import dev.retort.report.ModelColumn.Role;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** Draws a {@link ComparisonReport} as one HTML file that needs nothing else: styles, curves and pictures are inside. */
public final class HtmlReport {
    private final ComparisonReport report;
    private final List<String> lines; // in the order of their colours
    private final StringBuilder out = new StringBuilder();

    private HtmlReport(ComparisonReport report) {
        this.report = report;
        this.lines = report.models().stream()
                .map(model -> ModelColumn.line(model.name()))
                .distinct()
                .toList();
    }

    /** The page. */
    public static String render(ComparisonReport report) {
        HtmlReport page = new HtmlReport(report);
        page.head();
        page.grids();
        page.table();
        page.charts();
        page.notes();
        page.origin();
        return page.out
                .append("</main>\n<script>\n")
                .append(resource("report.js"))
                .append("</script>\n</body>\n</html>\n")
                .toString();
    }

    /** Writes the page; an older one is replaced only once the new one is complete. */
    public static void write(ComparisonReport report, Path file) {
        Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.writeString(unfinished, render(report));
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new RetortException(
                    RetortException.Kind.WRITE,
                    file + ": the report cannot be written (" + e.getMessage()
                            + "); free space or choose another folder.",
                    e);
        }
    }

    private void head() {
        out.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
                .append(Html.escape(report.title()))
                .append("</title>\n<style>\n")
                .append(resource("report.css"))
                .append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>")
                .append(Html.escape(report.title()))
                .append("</h1>\n<p class=\"summary\">")
                .append(Html.escape(report.summary()))
                .append("</p>\n");
        tiles();
        out.append("</header>\n");
    }

    /** The first student against the teacher in a few large figures. */
    private void tiles() {
        Optional<ModelColumn> teacher = report.first(Role.TEACHER);
        Optional<ModelColumn> student = report.first(Role.STUDENT);
        if (teacher.isEmpty() || student.isEmpty()) {
            return;
        }
        List<Measure> shown = new ArrayList<>(
                List.of(Measure.PARAMETERS, Measure.MACS, Measure.IMAGES_PER_SECOND, Measure.PEAK_MEMORY));
        report.measures().stream()
                .filter(m -> m.group().equals(Measure.QUALITY) && m.better() == Measure.Better.LOWER)
                .findFirst()
                .ifPresent(shown::add);
        out.append("<div class=\"tiles\">\n");
        for (Measure measure : shown) {
            OptionalDouble from = teacher.get().value(measure);
            OptionalDouble to = student.get().value(measure);
            Change.of(measure, from, to).ifPresent(change -> out.append("<div class=\"tile\"><b class=\"")
                    .append(change.tone())
                    .append("\">")
                    .append(change.text())
                    .append("</b><span>")
                    .append(Html.escape(measure.name()))
                    .append("</span><small>")
                    .append(measure.unit().format(from.getAsDouble()))
                    .append(" → ")
                    .append(measure.unit().format(to.getAsDouble()))
                    .append("</small></div>\n"));
        }
        out.append("</div>\n");
    }

    private void grids() {
        for (SampleGrid grid : report.grids()) {
            out.append("<section>\n<h2>")
                    .append(Html.escape(grid.title()))
                    .append("</h2>\n<p class=\"caption\">")
                    .append(Html.escape(grid.caption()))
                    .append("</p>\n<div class=\"samples\">\n");
            for (SampleGrid.Pane pane : grid.panes()) {
                out.append("<figure><figcaption>")
                        .append(swatch(pane.model()))
                        .append(Html.escape(pane.model()))
                        .append("</figcaption><div class=\"pane\">");
                if (!grid.rowLabels().isEmpty()) {
                    out.append("<div class=\"rows\">");
                    grid.rowLabels().forEach(label -> out.append("<span>")
                            .append(Html.escape(label))
                            .append("</span>"));
                    out.append("</div>");
                }
                out.append("<img alt=\"")
                        .append(Html.escape("Samples of " + pane.model()))
                        .append("\" src=\"data:image/png;base64,")
                        .append(Base64.getEncoder().encodeToString(pane.png()))
                        .append("\"></div></figure>\n");
            }
            out.append("</div>\n</section>\n");
        }
    }

    private void table() {
        out.append("<section>\n<h2>Numbers</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th></th>");
        for (ModelColumn model : report.models()) {
            out.append("<th scope=\"col\">")
                    .append(swatch(model.name()))
                    .append(Html.escape(model.name()))
                    .append(
                            model.name().equalsIgnoreCase(model.role().words())
                                    ? ""
                                    : "<small class=\"role\">"
                                            + Html.escape(model.role().words()) + "</small>")
                    .append("<small>")
                    .append(Html.escape(model.description()))
                    .append("</small></th>");
        }
        out.append("</tr></thead>\n<tbody>\n");
        OptionalDouble none = OptionalDouble.empty();
        Optional<ModelColumn> teacher = report.first(Role.TEACHER);
        String group = null;
        for (Measure measure : report.measures()) {
            if (!measure.group().equals(group)) {
                group = measure.group();
                out.append("<tr class=\"group\"><th colspan=\"")
                        .append(report.models().size() + 1)
                        .append("\"><span>")
                        .append(Html.escape(group))
                        .append("</span></th></tr>\n");
            }
            out.append("<tr><th scope=\"row\">")
                    .append(Html.escape(measure.name()))
                    .append(arrow(measure))
                    .append("<small>")
                    .append(Html.escape(measure.meaning()))
                    .append("</small></th>");
            for (ModelColumn model : report.models()) {
                boolean compared = model.role() != Role.TEACHER && model.role() != Role.REAL;
                OptionalDouble base =
                        compared && teacher.isPresent() ? teacher.get().value(measure) : none;
                cell(measure, model.value(measure), Change.of(measure, base, model.value(measure)));
            }
            out.append("</tr>\n");
        }
        out.append("</tbody></table></div>\n</section>\n");
    }

    private void cell(Measure measure, OptionalDouble value, Optional<Change> change) {
        out.append("<td>").append(value.isPresent() ? measure.unit().format(value.getAsDouble()) : "–");
        change.ifPresent(c -> out.append("<small class=\"")
                .append(c.tone())
                .append("\">")
                .append(c.text())
                .append("</small>"));
        out.append("</td>");
    }

    private void charts() {
        if (report.charts().isEmpty()) {
            return;
        }
        out.append("<section>\n<h2>Curves</h2>\n<div class=\"charts\">\n");
        report.charts().forEach(chart -> out.append(new SvgChart(chart, lines).render()));
        out.append("</div>\n</section>\n");
    }

    private void notes() {
        if (report.notes().isEmpty()) {
            return;
        }
        out.append("<section>\n<h2>How to read this</h2>\n<ul>\n");
        report.notes()
                .forEach(note -> out.append("<li>").append(Html.escape(note)).append("</li>\n"));
        out.append("</ul>\n</section>\n");
    }

    private void origin() {
        out.append("<section>\n<h2>Where it comes from</h2>\n");
        if (!report.commands().isEmpty()) {
            out.append("<pre>")
                    .append(Html.escape(String.join("\n", report.commands())))
                    .append("</pre>\n");
        }
        out.append("<dl>\n");
        for (Map.Entry<String, Object> fact : report.provenance().toMap().entrySet()) {
            boolean bytes = fact.getKey().equals("memoryBytes");
            String text = bytes
                    ? Unit.BYTES.format(report.provenance().memoryBytes())
                    : fact.getValue().toString();
            if (!text.isEmpty()) {
                out.append("<dt>")
                        .append(bytes ? "memory" : fact.getKey())
                        .append("</dt><dd>")
                        .append(Html.escape(text))
                        .append("</dd>\n");
            }
        }
        out.append("</dl>\n</section>\n");
    }

    private String swatch(String model) {
        int colour = lines.indexOf(ModelColumn.line(model));
        return colour < 0 ? "" : "<i class=\"swatch c" + colour % 8 + "\"></i>";
    }

    private static String arrow(Measure measure) {
        return switch (measure.better()) {
            case LOWER -> " <span class=\"arrow\" title=\"lower is better\">↓</span>";
            case HIGHER -> " <span class=\"arrow\" title=\"higher is better\">↑</span>";
            case NEITHER -> "";
        };
    }

    private static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
