package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Tells folders that divide a set into splits from classes that only have the name of one, such as the class {@code train}
 * beside {@code bus} and {@code car}.
 */
final class Splits {
    /** No folder divides the set. */
    static final int NONE = -1;

    private static final int LISTED = 5;

    private static final Map<String, String> NAMES = Map.of(
            "train", "train",
            "training", "train",
            "test", "test",
            "testing", "test",
            "val", "val",
            "valid", "val",
            "validation", "val");

    private Splits() {}

    /** The split that a folder of this name is of, in whatever case it is written. */
    static Optional<String> of(String folder) {
        return Optional.ofNullable(NAMES.get(folder.toLowerCase(Locale.ROOT)));
    }

    /** The split in the name of an archive, such as {@code train-00001.tar} or {@code testset.tgz}. */
    static Optional<String> inName(String file) {
        for (String word : file.toLowerCase(Locale.ROOT).split("[^a-z]+")) {
            if (NAMES.containsKey(word)) {
                return Optional.of(NAMES.get(word));
            }
            if (word.startsWith("train") || word.startsWith("test")) {
                return Optional.of(word.startsWith("train") ? "train" : "test");
            }
        }
        return Optional.empty();
    }

    /**
     * How many folders lie above the split folders of a set; {@link #NONE} where nothing divides it.
     *
     * @param folders the folders on the path of each picture
     * @param where the set, for an error
     * @throws RetortException of kind DATA where names and structure say different things
     */
    static int level(Collection<List<String>> folders, String where) {
        int deepest = folders.stream().mapToInt(List::size).max().orElse(0);
        for (int level = 0; level < deepest; level++) {
            int at = level;
            Set<String> names = new TreeSet<>();
            folders.stream().filter(path -> path.size() > at).forEach(path -> names.add(path.get(at)));
            Set<String> splits = new TreeSet<>(names);
            splits.removeIf(name -> of(name).isEmpty());
            if (splits.isEmpty()) {
                continue;
            }
            if (!shareTheFirst(level, folders)) {
                boolean everywhere = folders.stream()
                        .filter(path -> !path.isEmpty())
                        .allMatch(path -> path.size() > at && of(path.get(at)).isPresent());
                return everywhere ? level : NONE;
            }
            return amongSiblings(level, folders, names, splits, where) ? level : NONE;
        }
        return NONE;
    }

    private static boolean shareTheFirst(int level, Collection<List<String>> folders) {
        Set<List<String>> above = new HashSet<>();
        folders.stream()
                .filter(path -> !path.isEmpty())
                .forEach(path -> above.add(path.subList(0, Math.min(level, path.size()))));
        return above.size() == 1;
    }

    /** Whether folders with the names of splits are splits, judged by what lies beside and below them. */
    private static boolean amongSiblings(
            int level, Collection<List<String>> folders, Set<String> names, Set<String> splits, String where) {
        if (names.equals(splits)) {
            return true;
        }
        Set<String> kinds = new HashSet<>();
        splits.forEach(name -> kinds.add(of(name).orElseThrow()));
        boolean holdClasses =
                folders.stream().anyMatch(path -> path.size() > level + 1 && splits.contains(path.get(level)));
        if (kinds.size() > 1 == holdClasses) {
            return holdClasses;
        }
        Set<String> others = new TreeSet<>(names);
        others.removeAll(splits);
        throw new RetortException(
                Kind.DATA,
                FirstFew.of(List.copyOf(splits), LISTED) + " in " + where + " may be "
                        + (splits.size() == 1 ? "a split" : "splits") + " or, beside "
                        + FirstFew.of(List.copyOf(others), LISTED)
                        + ", classes; rename or remove folders so that splits"
                        + " lie beside splits only, or set data.path to the folder of one split");
    }
}
