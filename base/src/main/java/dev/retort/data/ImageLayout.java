package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The pictures of one split among the files of a set, and the class folder of each. A picture's class is the folder below
 * its split's, or the topmost one; a single folder that holds all class folders is passed over. What is left out is noted.
 *
 * @param pictures the pictures of the split, by path
 * @param classes the class folder of each; {@link #UNSORTED} for pictures that lie in none
 * @param divided whether the set has split folders
 * @param notes what was left out, a sentence each
 */
record ImageLayout(List<StoredFile> pictures, List<String> classes, boolean divided, List<String> notes) {
    /** The class of pictures that lie in no class folder. */
    static final String UNSORTED = "all";

    private static final int LISTED = 5;

    /**
     * Finds the pictures.
     *
     * @param files every file of the set
     * @param split which pictures; {@code train} are all where nothing divides the set
     * @param where the set, for sentences
     */
    static ImageLayout of(Collection<StoredFile> files, String split, String where) {
        return of(files, split, where, false);
    }

    /** The same of files that are all of the split, unless folders divide them nevertheless. */
    static ImageLayout ofSplit(Collection<StoredFile> files, String split, String where) {
        return of(files, split, where, true);
    }

    private static ImageLayout of(Collection<StoredFile> files, String split, String where, boolean chosen) {
        List<String> notes = new ArrayList<>();
        List<StoredFile> visible = new ArrayList<>();
        Set<String> hidden = new TreeSet<>();
        for (StoredFile file : files) {
            ImageNames.hiddenPart(file.path())
                    .ifPresentOrElse(
                            part -> {
                                if (ImageNames.isPicture(file.path())) {
                                    hidden.add(part);
                                }
                            },
                            () -> visible.add(file));
        }
        leftOut(notes, hidden, "hidden or a system's own");
        List<StoredFile> pictures = visible.stream()
                .filter(file -> ImageNames.isPicture(file.path()))
                .sorted(Comparator.comparing(StoredFile::path).thenComparing(StoredFile::name))
                .toList();
        List<String> others = OtherFiles.kinds(visible);
        if (pictures.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "no " + ImageNames.FORMATS + " pictures in " + where
                            + (others.isEmpty() ? "" : ", only " + FirstFew.of(others, LISTED))
                            + "; set data.path to another place");
        }
        if (!others.isEmpty()) {
            notes.add("left out: " + FirstFew.of(others, LISTED) + "; files are read that are named as "
                    + ImageNames.FORMATS + ", so convert pictures of other formats");
        }
        List<List<String>> folders =
                pictures.stream().map(file -> ImageNames.folders(file.path())).toList();
        int level = Splits.level(folders, where);
        if (level == Splits.NONE && !chosen && !Splits.of(split).equals(Splits.of("train"))) {
            throw new RetortException(
                    Kind.DATA,
                    "no folder '" + split + "' divides " + where
                            + ", all its pictures are of the split train; choose that, or other pictures");
        }
        return level == Splits.NONE
                ? undivided(pictures, folders, chosen, notes)
                : divided(pictures, folders, level, split, where, notes);
    }

    private static ImageLayout undivided(
            List<StoredFile> pictures, List<List<String>> folders, boolean divided, List<String> notes) {
        boolean wrapped = folders.stream().allMatch(path -> path.size() > 1)
                && folders.stream().map(path -> path.get(0)).distinct().count() == 1;
        return sorted(pictures, folders, wrapped ? 1 : 0, divided, notes);
    }

    private static ImageLayout divided(
            List<StoredFile> pictures,
            List<List<String>> folders,
            int level,
            String split,
            String where,
            List<String> notes) {
        Set<String> splits = new TreeSet<>();
        Set<String> beside = new TreeSet<>();
        for (int i = 0; i < pictures.size(); i++) {
            List<String> path = folders.get(i);
            String name = path.size() > level ? path.get(level) : "";
            if (Splits.of(name).isPresent()) {
                splits.add(name);
            } else {
                beside.add(name.isEmpty() ? pictures.get(i).path() : String.join("/", path.subList(0, level + 1)));
            }
        }
        leftOut(notes, beside, "beside the folders of the splits " + String.join(", ", splits));
        boolean exact = splits.contains(split);
        List<StoredFile> chosen = new ArrayList<>();
        List<List<String>> below = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            List<String> path = folders.get(i);
            String name = path.size() > level ? path.get(level) : "";
            if (exact
                    ? name.equals(split)
                    : Splits.of(split).isPresent() && Splits.of(name).equals(Splits.of(split))) {
                chosen.add(pictures.get(i));
                below.add(path);
            }
        }
        if (chosen.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "no folder '" + split + "' in " + where + ", only " + splits
                            + "; choose a split that is there, or other pictures");
        }
        boolean classesAbove = below.stream().anyMatch(path -> path.size() == level + 1)
                && below.stream().map(path -> path.subList(0, level)).distinct().count() > 1;
        return sorted(chosen, below, classesAbove ? 0 : level + 1, true, notes);
    }

    /** By the folders at a level; strays beside class folders are left out. */
    private static ImageLayout sorted(
            List<StoredFile> pictures, List<List<String>> folders, int level, boolean divided, List<String> notes) {
        List<StoredFile> chosen = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        Set<String> strays = new TreeSet<>();
        for (int i = 0; i < pictures.size(); i++) {
            if (folders.get(i).size() > level) {
                chosen.add(pictures.get(i));
                classes.add(folders.get(i).get(level));
            } else {
                strays.add(pictures.get(i).path());
            }
        }
        if (chosen.isEmpty()) {
            return new ImageLayout(
                    pictures, pictures.stream().map(picture -> UNSORTED).toList(), divided, List.copyOf(notes));
        }
        leftOut(notes, strays, "beside the class folders");
        return new ImageLayout(List.copyOf(chosen), List.copyOf(classes), divided, List.copyOf(notes));
    }

    private static void leftOut(List<String> notes, Set<String> paths, String why) {
        if (!paths.isEmpty()) {
            notes.add("left out: " + FirstFew.of(List.copyOf(paths), LISTED) + ", " + why);
        }
    }
}
