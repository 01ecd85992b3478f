package dev.retort.report;

import dev.retort.error.Printable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * A comparison of models as plain data; {@link HtmlReport} draws it, {@link #toJson()} and {@link #toTable()} print it.
 *
 * @param title what was compared
 * @param summary the outcome in a sentence or two
 * @param models teacher first, then students, then the honest zeros, then the real images
 * @param grids pictures side by side
 * @param charts curves
 * @param notes what a reader must know to trust the numbers: extractor and its hash, numbers of images, seeds
 * @param commands the commands that made it, in order
 * @param provenance machine, version, time
 */
public record ComparisonReport(
        String title,
        String summary,
        List<ModelColumn> models,
        List<SampleGrid> grids,
        List<Chart> charts,
        List<String> notes,
        List<String> commands,
        Provenance provenance) {
    private static final int NARROW = 10;

    /** How the names of the measures begin that stand in a line; F is FD or FID. */
    private static final List<String> TELLING = List.of(
            Measure.NETWORK_CALLS.name(),
            Measure.SECONDS_PER_IMAGE.name(),
            "F",
            "Precision",
            "Recall",
            Measure.NEAR_COPIES.name(),
            Measure.CLASS_ACCURACY.name());

    /** Copies the lists; names of models must differ. */
    public ComparisonReport {
        models = List.copyOf(models);
        grids = List.copyOf(grids);
        charts = List.copyOf(charts);
        notes = List.copyOf(notes);
        commands = List.copyOf(commands);
        if (models.isEmpty()) {
            throw new IllegalArgumentException("models: none, expected at least one column");
        }
        Set<String> names = new LinkedHashSet<>();
        for (ModelColumn model : models) {
            if (!names.add(model.name())) {
                throw new IllegalArgumentException("models: two columns are named " + model.name());
            }
        }
    }

    /** Every measure that some model has, grouped under their headings in the order of first appearance. */
    public List<Measure> measures() {
        Map<String, Set<Measure>> groups = new LinkedHashMap<>();
        for (ModelColumn model : models) {
            for (Measure measure : model.values().keySet()) {
                groups.computeIfAbsent(measure.group(), group -> new LinkedHashSet<>())
                        .add(measure);
            }
        }
        return groups.values().stream().flatMap(Set::stream).toList();
    }

    /** The first column in that role. */
    public Optional<ModelColumn> first(ModelColumn.Role role) {
        return models.stream().filter(model -> model.role() == role).findFirst();
    }

    /** The summary table for a terminal. */
    public TextTable toTable() {
        List<String> header = new ArrayList<>(List.of(""));
        models.forEach(model -> header.add(model.name()));
        TextTable table = new TextTable(header);
        String group = null;
        for (Measure measure : measures()) {
            if (!measure.group().equals(group)) {
                group = measure.group();
                table.section(group);
            }
            List<String> row = new ArrayList<>(List.of(measure.name()));
            models.forEach(model -> row.add(cell(model, measure)));
            table.row(row);
        }
        return table;
    }

    /** The scores that tell most, a line for each model: for models in several numbers of steps, where columns would be too many. */
    public TextTable toLines() {
        List<Measure> shown = telling();
        List<String> header = new ArrayList<>(List.of(""));
        shown.forEach(
                measure -> header.add(measure.name().replace("-", "- ").replace("@", " @"))); // where it may break
        TextTable table = new TextTable(header, NARROW);
        models.forEach(model -> table.row(line(model, shown)));
        return table;
    }

    /** {@link #toLines()} as a table of Markdown. */
    public String toMarkdown() {
        List<Measure> shown = telling();
        StringBuilder out = new StringBuilder("| |");
        shown.forEach(measure -> out.append(' ').append(measure.name()).append(" |"));
        out.append("\n|---|").append("---|".repeat(shown.size())).append('\n');
        for (ModelColumn model : models) {
            out.append('|');
            line(model, shown).forEach(cell -> out.append(' ')
                    .append(Printable.line(cell).replace("|", "\\|"))
                    .append(" |"));
            out.append('\n');
        }
        return out.toString();
    }

    private List<Measure> telling() {
        return measures().stream()
                .filter(measure -> TELLING.stream().anyMatch(measure.name()::startsWith))
                .toList();
    }

    private static List<String> line(ModelColumn model, List<Measure> shown) {
        List<String> line = new ArrayList<>(List.of(model.name()));
        shown.forEach(measure -> line.add(cell(model, measure)));
        return line;
    }

    private static String cell(ModelColumn model, Measure measure) {
        OptionalDouble value = model.value(measure);
        return value.isPresent() ? measure.unit().format(value.getAsDouble()) : "–";
    }

    /** Everything but the pictures, as indented JSON with full precision. */
    public String toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("title", title);
        json.put("summary", summary);
        json.put("models", models.stream().map(ComparisonReport::json).toList());
        json.put("charts", charts);
        json.put("notes", notes);
        json.put("commands", commands);
        json.put("provenance", provenance.toMap());
        return Json.PRETTY.writeValueAsString(json);
    }

    private static Map<String, Object> json(ModelColumn model) {
        Map<String, Object> values = new LinkedHashMap<>();
        model.values().forEach((measure, value) -> values.put(measure.name(), value));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", model.name());
        json.put("role", model.role());
        json.put("description", model.description());
        json.put("values", values);
        return json;
    }
}
