package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Which pictures are asked for. Picture i shows class or prompt i modulo their number, and its noise has the address (seed, i), so
 * {@code Request.of(3, 7).seed(1).count(4)} asks for what {@code retort sample MODEL --classes 3,7 --seed 1 --count 8} draws.
 *
 * @param labels classes by number, in turn; empty where names say them, or where all that the student draws is meant
 * @param classes classes by name, in turn; empty likewise
 * @param prompts texts, in turn, for a student that is told texts ({@link Student#takesPrompts}); empty likewise
 * @param negative the text that stands for "nothing", from which guidance leads away; empty as in training
 * @param seed seed of all pictures, at least 0
 * @param count pictures of each class or prompt, at least 1
 * @param steps number of steps, one of {@link Student#steps()}; 0 for the student's own
 */
public record Request(
        List<Integer> labels,
        List<String> classes,
        List<String> prompts,
        String negative,
        long seed,
        int count,
        int steps) {
    /** Validates. */
    public Request {
        labels = List.copyOf(labels);
        classes = List.copyOf(classes);
        prompts = List.copyOf(prompts);
        if (!labels.isEmpty() && !classes.isEmpty()) {
            throw refused("classes", labels + " and " + classes, "numbers or names, not both");
        }
        if (!prompts.isEmpty() && !(labels.isEmpty() && classes.isEmpty())) {
            throw refused("prompts", prompts + " beside classes", "prompts or classes, not both");
        }
        if (negative == null) {
            throw refused("negative", "null", "a text, empty for none");
        }
        if (seed < 0) {
            throw refused("seed", seed, "a number of at least 0; draw one yourself where any will do");
        }
        if (count < 1) {
            throw refused("count", count, "at least 1 picture of each class or prompt");
        }
        if (steps < 0) {
            throw refused("steps", steps, "one of the student's numbers of steps, or 0 for its own");
        }
    }

    private static StudentException refused(String field, Object value, String expected) {
        return new StudentException(Kind.BAD_REQUEST, field + " is " + value + "; expected " + expected);
    }

    private static Request of(List<Integer> labels, List<String> classes, List<String> prompts) {
        return new Request(labels, classes, prompts, "", 0, 1, 0);
    }

    /** One picture of each class by number, or of each class or example text that the student knows where none is named. Seed 0. */
    public static Request of(int... labels) {
        List<Integer> list = new ArrayList<>();
        for (int label : labels) {
            list.add(label);
        }
        return of(list, List.of(), List.of());
    }

    /** One picture of each class by name ({@link Student#label}). Seed 0. */
    public static Request ofClasses(String... names) {
        return of(List.of(), List.of(names), List.of());
    }

    /** One picture of each text. Seed 0. */
    public static Request ofPrompts(String... texts) {
        return of(List.of(), List.of(), List.of(texts));
    }

    /** The same led away from what a text says, where guidance acts. */
    public Request negative(String text) {
        return new Request(labels, classes, prompts, text, seed, count, steps);
    }

    /** The same with another seed, at least 0. */
    public Request seed(long seed) {
        return new Request(labels, classes, prompts, negative, seed, count, steps);
    }

    /** The same with so many pictures of each class or prompt. */
    public Request count(int count) {
        return new Request(labels, classes, prompts, negative, seed, count, steps);
    }

    /** The same in another number of steps. */
    public Request steps(int steps) {
        return new Request(labels, classes, prompts, negative, seed, count, steps);
    }
}
