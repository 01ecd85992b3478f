package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Which pictures are asked for. Picture i shows class i modulo the number of classes, and its noise has the address (seed, i), so
 * {@code Request.of(3, 7).seed(1).count(4)} asks for what {@code retort sample MODEL --classes 3,7 --seed 1 --count 8} draws.
 *
 * @param labels classes by number, in turn; empty where names say them, or where all classes of the student are meant
 * @param classes classes by name, in turn; empty where numbers say them, or where all classes of the student are meant
 * @param seed seed of all pictures, at least 0
 * @param count pictures of each class, at least 1
 * @param steps number of steps, one of {@link Student#steps()}; 0 for the student's own
 */
public record Request(List<Integer> labels, List<String> classes, long seed, int count, int steps) {
    /** Validates. */
    public Request {
        labels = List.copyOf(labels);
        classes = List.copyOf(classes);
        if (!labels.isEmpty() && !classes.isEmpty()) {
            throw refused("classes", labels + " and " + classes, "numbers or names, not both");
        }
        if (seed < 0) {
            throw refused("seed", seed, "a number of at least 0; draw one yourself where any will do");
        }
        if (count < 1) {
            throw refused("count", count, "at least 1 picture of each class");
        }
        if (steps < 0) {
            throw refused("steps", steps, "one of the student's numbers of steps, or 0 for its own");
        }
    }

    private static StudentException refused(String field, Object value, String expected) {
        return new StudentException(Kind.BAD_REQUEST, field + " is " + value + "; expected " + expected);
    }

    /** One picture of each class by number, or of each that the student knows where none is named. Seed 0. */
    public static Request of(int... labels) {
        List<Integer> list = new ArrayList<>();
        for (int label : labels) {
            list.add(label);
        }
        return new Request(list, List.of(), 0, 1, 0);
    }

    /** One picture of each class by name ({@link Student#label}). Seed 0. */
    public static Request ofClasses(String... names) {
        return new Request(List.of(), List.of(names), 0, 1, 0);
    }

    /** The same with another seed, at least 0. */
    public Request seed(long seed) {
        return new Request(labels, classes, seed, count, steps);
    }

    /** The same with so many pictures of each class. */
    public Request count(int count) {
        return new Request(labels, classes, seed, count, steps);
    }

    /** The same in another number of steps. */
    public Request steps(int steps) {
        return new Request(labels, classes, seed, count, steps);
    }
}
