package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.StringJoiner;

/**
 * A folder of pictures: one folder per class, the labels in the order of their names, perhaps below split folders. Links
 * are followed; hidden folders, such as {@code .ipynb_checkpoints}, are not entered. Captions are found as
 * {@link Captions} says.
 */
public final class FolderImages {
    private static final int LISTED = 5;

    private FolderImages() {}

    /**
     * Lists the pictures of a folder.
     *
     * @param folder holds the class folders, or {@code train}, {@code test}, {@code val} folders that do
     * @param split which of those; {@code train} where there are none
     * @param size rows and columns to crop to
     */
    public static ImageSource open(Path folder, String split, int size) {
        Walk walk = new Walk(folder);
        try {
            Files.walkFileTree(folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, walk);
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the folder " + folder + " (" + e.getMessage() + "); check data.path", e);
        }
        String name = folder.toAbsolutePath().normalize().getFileName() + "/" + split;
        return EncodedImages.of(name, size, split, folder.toString(), walk.files, walk.notes());
    }

    /** Lists files; what it passes over is noted. */
    private static final class Walk extends SimpleFileVisitor<Path> {
        private final Path folder;
        private final List<StoredFile> files = new ArrayList<>();
        private final List<String> hidden = new ArrayList<>();
        private final List<String> loops = new ArrayList<>();
        private final List<String> broken = new ArrayList<>();

        Walk(Path folder) {
            this.folder = folder;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path entered, BasicFileAttributes attributes) {
            if (!entered.equals(folder)
                    && ImageNames.isHidden(entered.getFileName().toString())) {
                hidden.add(inside(entered));
                return FileVisitResult.SKIP_SUBTREE;
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isSymbolicLink()) {
                broken.add(inside(file)); // links are followed, so this one could not be
            } else if (attributes.isRegularFile()) {
                files.add(new StoredFile(
                        inside(file), folder + "/" + inside(file), file, () -> Files.readAllBytes(file)));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
            if (failure instanceof FileSystemLoopException) {
                loops.add(inside(file));
                return FileVisitResult.CONTINUE;
            }
            if (ImageNames.isHidden(file.getFileName().toString())) {
                return FileVisitResult.CONTINUE;
            }
            throw failure;
        }

        /** With forward slashes; a backslash may be a letter of a name. */
        private String inside(Path path) {
            StringJoiner joined = new StringJoiner("/");
            folder.relativize(path).forEach(part -> joined.add(FileNames.text(part)));
            return joined.toString();
        }

        List<String> notes() {
            List<String> notes = new ArrayList<>();
            note(notes, hidden, "hidden or a system's own");
            note(notes, loops, "links that lead back to a folder above them");
            note(notes, broken, "links that lead to no file");
            return notes;
        }

        private static void note(List<String> notes, List<String> paths, String why) {
            if (!paths.isEmpty()) {
                notes.add("left out: " + FirstFew.of(paths.stream().sorted().toList(), LISTED) + ", " + why);
            }
        }
    }
}
