package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Classes of pictures: from {@code NAME.cls} beside {@code NAME.jpg}, as WebDataset archives have them, where there are
 * any such files, else the class folders.
 *
 * @param pictures those that have a class
 * @param names every class once, in order: by number where all are numbers, else by name
 * @param labels for each picture the index of its class
 * @param notes what was left out, a sentence each
 */
record ClassFiles(List<StoredFile> pictures, List<String> names, int[] labels, List<String> notes) {
    private static final String ENDING = "cls";
    private static final int LISTED = 3;

    /** Whether a file may hold a class. */
    static boolean mayBeIn(String path) {
        return ImageNames.ending(path).equals(ENDING);
    }

    /** @param all every file of the set */
    static ClassFiles of(ImageLayout layout, Collection<StoredFile> all) {
        Map<String, StoredFile> files = new HashMap<>();
        all.stream()
                .filter(file -> mayBeIn(file.path()))
                .forEach(file -> files.put(ImageNames.withoutEnding(file.name()), file));
        boolean any = layout.pictures().stream().anyMatch(picture -> files.containsKey(key(picture)));
        return any ? ofFiles(layout, files) : ofFolders(layout, all);
    }

    private static ClassFiles ofFiles(ImageLayout layout, Map<String, StoredFile> files) {
        List<StoredFile> pictures = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        List<String> without = new ArrayList<>();
        for (StoredFile picture : layout.pictures()) {
            StoredFile file = files.get(key(picture));
            if (file == null) {
                without.add(picture.path());
            } else {
                pictures.add(picture);
                classes.add(read(file));
            }
        }
        List<String> notes = without.isEmpty()
                ? List.of()
                : List.of("left out: " + FirstFew.of(without, LISTED) + ", without the ." + ENDING
                        + " file that others have");
        boolean numbers = classes.stream().allMatch(name -> name.matches("\\d+"));
        return of(
                pictures, classes, numbers ? Comparator.comparing(BigInteger::new) : Comparator.naturalOrder(), notes);
    }

    private static ClassFiles ofFolders(ImageLayout layout, Collection<StoredFile> all) {
        List<String> notes = new ArrayList<>();
        if (layout.classes().get(0).equals(ImageLayout.UNSORTED)) {
            Map<String, StoredFile> names = new HashMap<>();
            all.forEach(file -> names.put(file.name(), file));
            if (layout.pictures().stream().allMatch(picture -> names.containsKey(key(picture) + ".json"))) {
                notes.add(
                        "no classes are read from the .json files beside the pictures: all pictures are of one class, "
                                + ImageLayout.UNSORTED + "; class folders or ." + ENDING
                                + " files would tell them apart");
            }
        }
        return of(layout.pictures(), layout.classes(), Comparator.naturalOrder(), notes);
    }

    private static ClassFiles of(
            List<StoredFile> pictures, List<String> classes, Comparator<String> order, List<String> notes) {
        TreeSet<String> sorted = new TreeSet<>(order);
        sorted.addAll(classes);
        List<String> names = List.copyOf(sorted);
        Map<String, Integer> indices = new HashMap<>();
        names.forEach(name -> indices.put(name, indices.size()));
        int[] labels = classes.stream()
                .mapToInt(name -> indices.get(sorted.floor(name))) // 07 is 7
                .toArray();
        return new ClassFiles(pictures, names, labels, notes);
    }

    private static String key(StoredFile picture) {
        return ImageNames.withoutEnding(picture.name());
    }

    private static String read(StoredFile file) {
        String why = "it is empty";
        try {
            String name = Text.of(file.bytes()).strip();
            if (!name.isEmpty()) {
                return name;
            }
        } catch (IOException e) {
            why = e.getMessage();
        }
        throw new RetortException(
                Kind.DATA, "cannot read the class in " + file.name() + " (" + why + "); repair the file");
    }
}
