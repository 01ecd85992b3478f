package dev.retort.data;

import dev.retort.data.EncodedImages.Picture;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of pictures: one folder per class, the labels in the order of their names, perhaps below split folders. Captions
 * are found as {@link Captions} says.
 */
public final class FolderImages {
    private FolderImages() {}

    /**
     * Lists the pictures of a folder.
     *
     * @param folder holds the class folders, or {@code train}, {@code test}, {@code val} folders that do
     * @param split which of those; {@code train} where there are none
     * @param size rows and columns to crop to
     */
    public static ImageSource open(Path folder, String split, int size) {
        List<String> all;
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            all = files.filter(Files::isRegularFile)
                    .map(file -> FileNames.text(folder.relativize(file)).replace('\\', '/'))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the folder " + folder + " (" + e.getMessage() + "); check data.path", e);
        }
        List<String> paths = ImageNames.ofSplit(all, split, folder.toString());
        List<String> classes = ImageNames.classes(paths);
        Captions captions = new Captions(folder, all);
        List<Picture> pictures = new ArrayList<>(paths.size());
        for (String path : paths) {
            Path file = folder.resolve(path);
            int label = Collections.binarySearch(classes, ImageNames.classOf(path));
            pictures.add(new Picture(file.toString(), label, () -> Files.readAllBytes(file), () -> captions.of(path)));
        }
        String name = folder.toAbsolutePath().normalize().getFileName() + "/" + split;
        return new EncodedImages(name, size, classes, pictures, ImageNames.divided(all));
    }
}
