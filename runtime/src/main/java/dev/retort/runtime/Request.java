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

    /**
     * What a prompt asks of a student, as programs send it that know of words alone: of one that takes prompts what it says, of one of classes the
     * class that it names ({@link ClassPrompt}). A student of one kind of pictures takes an empty one. One picture, seed 0.
     *
     * @throws StudentException of kind BAD_REQUEST where the prompt is empty, or names no class or several
     */
    public static Request inWords(String prompt, Student student) {
        boolean empty = prompt == null || prompt.isBlank();
        if (!student.labels().isEmpty()) {
            return of(ClassPrompt.label(prompt, student));
        }
        if (empty && student.takesPrompts()) {
            throw refused("prompt", "empty", "a text that says what is to be drawn");
        }
        return empty ? of() : ofPrompts(prompt);
    }

    /** What its first picture shows, in words: a prompt, or the name of a class; empty where neither is asked for. */
    public String subject(Student student) {
        if (!prompts.isEmpty()) {
            return prompts.get(0);
        }
        return !classes.isEmpty()
                ? classes.get(0)
                : labels.isEmpty() ? "" : student.classes().get(labels.get(0));
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
