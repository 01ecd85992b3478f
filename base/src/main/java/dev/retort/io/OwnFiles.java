package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files that make up a folder of one kind. A folder that is to be replaced as a whole must hold nothing else: what a
 * user put there is never deleted.
 *
 * @param what the folder in words, such as {@code a model}
 * @param mark the file by which such a folder is known
 * @param names the paths of all its files inside the folder, with {@code /} between names
 */
public record OwnFiles(String what, String mark, Pattern names) {
    private static final int MOST_NAMED = 3;

    /**
     * Lets a folder be replaced that is not there, is empty, or is of this kind and holds nothing else.
     *
     * @throws RetortException of kind USAGE naming what would be lost
     */
    public void requireReplaceable(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        if (!Files.isDirectory(folder)) {
            throw refused(folder, "is a file, and " + what + " is a folder; give another name");
        }
        List<String> others = others(folder);
        if (!others.isEmpty()) {
            throw refused(
                    folder,
                    "holds " + named(others) + ", which " + (others.size() == 1 ? "is" : "are")
                            + " not part of " + what + " and would be lost; give another name, or move "
                            + (others.size() == 1 ? "it" : "them") + " away");
        }
        if (!isEmpty(folder) && !Files.exists(folder.resolve(mark))) {
            throw refused(folder, "has no " + mark + ", so it is not " + what + " written here; give another name");
        }
    }

    private static String named(List<String> others) {
        return others.size() > MOST_NAMED
                ? String.join(", ", others.subList(0, MOST_NAMED)) + " and more"
                : String.join(", ", others);
    }

    /** Files, links and empty folders that do not belong to this kind; one more than are named is enough. */
    private List<String> others(Path folder) {
        Path root = real(folder);
        try (Stream<Path> tree = Files.walk(root)) {
            return tree.filter(path -> !path.equals(root))
                    .filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) || isEmpty(path))
                    .map(path -> root.relativize(path).toString().replace(File.separatorChar, '/'))
                    .filter(name -> !names.matcher(name).matches() && !name.equals(FolderLock.FILE))
                    .limit(MOST_NAMED + 1)
                    .sorted()
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw unreadable(folder, e);
        }
    }

    /** Deletes a folder's files of this kind, and the folders that they leave empty, it too; what else it holds is kept. */
    public void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> tree = Files.walk(folder)) {
            all = tree.sorted(Comparator.reverseOrder()).toList(); // what is inside comes before its folder
        }
        Set<Path> left = new HashSet<>(Set.of(folder));
        for (Path path : all) {
            String name = folder.relativize(path).toString().replace(File.separatorChar, '/');
            if (names.matcher(name).matches()) {
                Files.delete(path);
                left.add(path.getParent());
            } else if (left.contains(path) && isEmpty(path)) {
                Files.delete(path);
            }
        }
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private static boolean isEmpty(Path folder) {
        try (Stream<Path> children = Files.list(folder)) {
            return children.allMatch(child -> child.endsWith(FolderLock.FILE)); // left by a process that died
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RetortException unreadable(Path folder, Exception e) {
        IOException cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : (IOException) e;
        return new RetortException(
                Kind.WRITE,
                folder + " cannot be replaced: what it holds cannot be listed (" + AtomicWrite.reason(cause)
                        + "); give another name",
                e);
    }

    private static RetortException refused(Path folder, String why) {
        return new RetortException(Kind.USAGE, folder + " " + why);
    }
}
