package dev.retort.runtime;

import dev.retort.diffusion.Plan;
import dev.retort.diffusion.PlanText;
import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an exported student says of itself in its metadata (docs/architecture.md, "The way of an exported student").
 *
 * @param form what one run of the graph computes
 * @param values what the network works on
 * @param classes names by label; none where it is told none
 * @param labels the labels that it is for
 * @param texts how it is told texts, if it is
 * @param steps numbers of steps that it may be sampled in, the default first
 * @param plans what to do, for each number of steps; of an unrolled student none
 * @param table moments and labels of a folded network; of others empty
 * @param eightBitDots whether its weights need a CPU with dot products of 8 bits that do not saturate
 */
record StudentFile(
        Form form,
        Shape values,
        List<String> classes,
        List<Integer> labels,
        Texts texts,
        List<Integer> steps,
        Map<Integer, GuidedPlan> plans,
        FoldedTable table,
        boolean eightBitDots) {
    private static final String FORMAT = "1";

    /** What one run of the graph computes. */
    enum Form {
        /** One call of the network. */
        NETWORK,
        /** All steps, from noise to pixels. */
        UNROLLED
    }

    /**
     * Reads.
     *
     * @param metadata by key
     * @param name of the file, for errors
     */
    static StudentFile parse(Map<String, String> metadata, String name) {
        String format = metadata.get("retort.format");
        if (format == null) {
            throw new StudentException(
                    Kind.BAD_FILE,
                    name + " is no exported student: it has no retort.format; make one by 'retort export'");
        }
        if (!format.equals(FORMAT)) {
            throw new StudentException(
                    Kind.UNSUPPORTED_VERSION,
                    name + " is of format " + format + ", this runtime reads format " + FORMAT
                            + "; export it again by a Retort of this version, or take another runtime");
        }
        try {
            return read(metadata);
        } catch (IllegalArgumentException e) {
            throw new StudentException(Kind.BAD_FILE, name + " is damaged: " + e.getMessage() + "; export it again", e);
        }
    }

    private static StudentFile read(Map<String, String> metadata) {
        Form form = form(value(metadata, "retort.form"));
        List<Integer> values = numbers(metadata, "retort.values");
        if (values.size() != 3 || values.stream().anyMatch(value -> value < 1)) {
            throw new IllegalArgumentException("retort.values is " + values + ", expected channels, height and width");
        }
        boolean told = metadata.containsKey("retort.classes");
        List<String> classes = told ? List.of(value(metadata, "retort.classes").split("\n")) : List.of();
        List<Integer> labels = told ? numbers(metadata, "retort.labels") : List.of();
        for (int label : labels) {
            if (label < 0 || label >= classes.size()) {
                throw new IllegalArgumentException(
                        "retort.labels has " + label + ", expected 0 to " + (classes.size() - 1));
            }
        }
        List<Integer> steps = numbers(metadata, "retort.steps");
        Map<Integer, GuidedPlan> plans = new LinkedHashMap<>();
        if (form == Form.NETWORK) {
            for (int count : steps) {
                Plan plan = in("retort.plan." + count, metadata, PlanText::parse);
                plans.put(count, in("retort.guidance." + count, metadata, text -> GuidedPlan.parse(plan, text)));
            }
        }
        return new StudentFile(
                form,
                new Shape(values.get(0), values.get(1), values.get(2)),
                classes,
                labels,
                Texts.parse(metadata),
                steps,
                plans,
                metadata.containsKey("retort.rows")
                        ? in("retort.rows", metadata, FoldedTable::parse)
                        : FoldedTable.NONE,
                "vnni".equals(metadata.get("retort.isa")));
    }

    private static Form form(String text) {
        for (Form form : Form.values()) {
            if (form.name().equalsIgnoreCase(text)) {
                return form;
            }
        }
        throw new IllegalArgumentException("retort.form is '" + text + "', expected network or unrolled");
    }

    private interface Reading<T> {
        T of(String text);
    }

    private static <T> T in(String key, Map<String, String> metadata, Reading<T> reading) {
        try {
            return reading.of(value(metadata, key));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(key + ": " + e.getMessage(), e);
        }
    }

    private static String value(Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("it has no " + key);
        }
        return value;
    }

    private static List<Integer> numbers(Map<String, String> metadata, String key) {
        return in(key, metadata, text -> {
            List<Integer> numbers = new ArrayList<>();
            for (String word : text.strip().split("\\s+")) {
                numbers.add(Integer.parseInt(word));
            }
            return List.copyOf(numbers);
        });
    }

    /** For one picture of what it draws first. */
    Request first() {
        if (!labels.isEmpty()) {
            return Request.of(labels.get(0));
        }
        return texts.examples().isEmpty()
                ? Request.of()
                : Request.ofPrompts(texts.examples().get(0));
    }

    /** How many steps of a batch are seen from outside. */
    int visibleSteps(int steps) {
        return form == Form.UNROLLED ? 1 : plans.get(steps).plan().steps().size();
    }

    /** The label that stands for "no class". */
    int noClass() {
        return classes.size();
    }
}
