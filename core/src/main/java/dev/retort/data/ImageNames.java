package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** What the path of a picture tells: whether it is one, its class (the folder it lies in), its split. */
final class ImageNames {
    /** Folder names that are splits, never classes. */
    static final Set<String> SPLITS = Set.of("train", "test", "val", "valid", "validation");

    /** The class of pictures that lie in no class folder. */
    static final String UNSORTED = "all";

    private static final Set<String> ENDINGS = Set.of("jpg", "jpeg", "png", "webp", "bmp", "gif");

    private ImageNames() {}

    static boolean isPicture(String path) {
        String file = path.substring(path.lastIndexOf('/') + 1);
        String ending = file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return !file.startsWith(".") && ENDINGS.contains(ending);
    }

    /** The topmost folder below the split's; {@link #UNSORTED} for a picture that lies in none. */
    static String classOf(String path) {
        List<String> parts = List.of(path.split("/"));
        int first = parts.indexOf(splitOf(path)) + 1;
        return first < parts.size() - 1 ? parts.get(first) : UNSORTED;
    }

    /** The split folder on a picture's path; empty where there is none. */
    static String splitOf(String path) {
        String[] parts = path.split("/");
        for (int i = 0; i < parts.length - 1; i++) {
            if (SPLITS.contains(parts[i])) {
                return parts[i];
            }
        }
        return "";
    }

    /** Whether any picture lies in a split's folder. */
    static boolean divided(Collection<String> paths) {
        return paths.stream().anyMatch(path -> isPicture(path) && !splitOf(path).isEmpty());
    }

    /** The classes of these pictures, sorted by name; the index is the label. */
    static List<String> classes(List<String> paths) {
        Set<String> classes = new TreeSet<>();
        paths.forEach(path -> classes.add(classOf(path)));
        return List.copyOf(classes);
    }

    /**
     * The pictures of a split, sorted: those below its folder, or all for {@code train} where no folder is a split.
     * Strays beside class folders are left out.
     */
    static List<String> ofSplit(List<String> paths, String split, String where) {
        List<String> pictures =
                paths.stream().filter(ImageNames::isPicture).sorted().toList();
        if (pictures.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "no JPEG, PNG, WebP, BMP or GIF pictures in " + where + "; set data.path to another place");
        }
        Set<String> splits = new TreeSet<>();
        pictures.forEach(path -> splits.add(splitOf(path)));
        if (!splits.contains(split) && !(splits.equals(Set.of("")) && split.equals("train"))) {
            splits.remove("");
            throw new RetortException(
                    Kind.DATA,
                    "no folder '" + split + "' in " + where + (splits.isEmpty() ? "" : ", only " + splits)
                            + "; choose a split that is there, or other pictures");
        }
        List<String> chosen = splits.contains(split)
                ? pictures.stream().filter(path -> splitOf(path).equals(split)).toList()
                : pictures;
        List<String> sorted =
                chosen.stream().filter(path -> !classOf(path).equals(UNSORTED)).toList();
        return sorted.isEmpty() ? chosen : sorted;
    }
}
