package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Which class is meant by a prompt, as programs send it that know of words alone. */
public final class ClassPrompt {
    private static final int MOST_SHOWN = 60;

    /** A name that stands in the prompt. */
    private record Found(int label, int start, int end) {
        boolean inside(Found other) {
            return other.start <= start && end <= other.end && other.end - other.start > end - start;
        }
    }

    private ClassPrompt() {}

    /**
     * The label of the class that a prompt names: it is a class's name; or a label ("8"); or a sentence in which the name of one class, or one of the
     * synonyms of a name with commas between, stands as words ("a photo of a bag"), in upper or lower case. Of names within each other the longer one
     * counts ("ankle boot" before "boot").
     *
     * @throws StudentException of kind BAD_REQUEST where it names none or several; the message lists the classes
     */
    public static int label(String prompt, Student student) {
        if (prompt == null || prompt.isBlank()) {
            throw refused("the prompt is empty; expected the name or the number of a class; there are ", student);
        }
        List<String> classes = student.classes();
        String wanted = prompt.strip();
        if (classes.contains(wanted) && classes.indexOf(wanted) == classes.lastIndexOf(wanted)) {
            return classes.indexOf(wanted);
        }
        if (wanted.matches("\\d{1,9}")) {
            int label = Integer.parseInt(wanted);
            if (!student.labels().contains(label)) {
                throw refused("class " + label + " is none that the student draws; there are ", student);
            }
            return label;
        }
        List<Integer> labels = labels(found(wanted.toLowerCase(Locale.ROOT), classes));
        if (labels.size() == 1) {
            return labels.get(0);
        }
        if (!labels.isEmpty()) {
            throw refused("the prompt names the classes " + labels + ", expected one; there are ", student);
        }
        if (wanted.length() > MOST_SHOWN) {
            throw refused("the prompt '" + wanted.substring(0, MOST_SHOWN) + "…' names no class; there are ", student);
        }
        return student.label(wanted); // says which name is near
    }

    private static StudentException refused(String what, Student student) {
        return new StudentException(Kind.BAD_REQUEST, what + ClassNames.described(student.classes()));
    }

    private static List<Found> found(String prompt, List<String> classes) {
        List<Found> found = new ArrayList<>();
        for (int label = 0; label < classes.size(); label++) {
            for (String name : classes.get(label).toLowerCase(Locale.ROOT).split(",")) {
                find(prompt, name.strip(), label, found);
            }
        }
        return found;
    }

    private static void find(String prompt, String name, int label, List<Found> into) {
        if (name.isEmpty()) {
            return;
        }
        for (int start = prompt.indexOf(name); start >= 0; start = prompt.indexOf(name, start + 1)) {
            int end = start + name.length();
            boolean begins = start == 0 || !Character.isLetterOrDigit(prompt.charAt(start - 1));
            boolean ends = end == prompt.length() || !Character.isLetterOrDigit(prompt.charAt(end));
            if (begins && ends) {
                into.add(new Found(label, start, end));
            }
        }
    }

    private static List<Integer> labels(List<Found> found) {
        List<Integer> labels = new ArrayList<>();
        for (Found one : found) {
            if (!labels.contains(one.label) && found.stream().noneMatch(one::inside)) {
                labels.add(one.label);
            }
        }
        return labels;
    }
}
