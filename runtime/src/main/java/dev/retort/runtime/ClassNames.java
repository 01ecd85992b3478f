package dev.retort.runtime;

import dev.retort.diffusion.EditDistance;
import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.List;

/** Which class a name means: names may be lists of synonyms, as those of ImageNet are. */
final class ClassNames {
    private static final int MOST_SHOWN = 10;

    private ClassNames() {}

    /** The one called exactly so, else but for upper case, else with such a synonym. */
    static int label(String name, List<String> classes) {
        String wanted = name.strip();
        List<List<Integer>> found = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (int label = 0; label < classes.size(); label++) {
            String known = classes.get(label);
            if (known.equals(wanted)) {
                found.get(0).add(label);
            } else if (known.equalsIgnoreCase(wanted)) {
                found.get(1).add(label);
            } else if (synonym(wanted, known)) {
                found.get(2).add(label);
            }
        }
        for (List<Integer> labels : found) {
            if (labels.size() == 1) {
                return labels.get(0);
            }
            if (labels.size() > 1) {
                throw refused("'" + name + "' is the name of the classes " + labels + "; give their numbers");
            }
        }
        throw refused("'" + name + "' is no class of this student; did you mean '" + nearest(wanted, classes)
                + "'? It has " + described(classes));
    }

    private static StudentException refused(String message) {
        return new StudentException(Kind.BAD_REQUEST, message);
    }

    private static boolean synonym(String wanted, String names) {
        for (String name : names.split(",")) {
            if (name.strip().equalsIgnoreCase(wanted)) {
                return true;
            }
        }
        return false;
    }

    private static String nearest(String wanted, List<String> classes) {
        String nearest = classes.get(0);
        for (String name : classes) {
            if (EditDistance.of(wanted, name) < EditDistance.of(wanted, nearest)) {
                nearest = name;
            }
        }
        return nearest;
    }

    /** The first few, with their numbers. */
    static String described(List<String> classes) {
        StringBuilder text = new StringBuilder("the classes");
        for (int label = 0; label < Math.min(classes.size(), MOST_SHOWN); label++) {
            text.append(label == 0 ? " " : ", ").append(label).append(' ').append(classes.get(label));
        }
        return text.append(classes.size() > MOST_SHOWN ? " and " + (classes.size() - MOST_SHOWN) + " more" : "")
                .toString();
    }
}
