package dev.retort.data;

import dev.retort.data.EncodedImages.Picture;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * A {@code .tar} or {@code .tar.gz} of pictures in class folders, perhaps below split folders. The archive is read once;
 * the encoded pictures stay in memory and are decoded on demand.
 */
public final class TarImages {
    private TarImages() {}

    /**
     * Reads an archive.
     *
     * @param archive the file
     * @param split which of its {@code train}, {@code test}, {@code val} folders; {@code train} where there are none
     * @param size rows and columns to crop to
     */
    public static ImageSource open(Path archive, String split, int size) {
        Map<String, byte[]> encoded = read(archive);
        List<String> paths = ImageNames.ofSplit(List.copyOf(encoded.keySet()), split, archive.toString());
        List<String> classes = ImageNames.classes(paths);
        List<Picture> pictures = new ArrayList<>(paths.size());
        for (String path : paths) {
            byte[] bytes = encoded.get(path);
            int label = Collections.binarySearch(classes, ImageNames.classOf(path));
            pictures.add(new Picture(archive + "!" + path, label, () -> bytes, Optional::empty));
        }
        String name = archive.getFileName().toString().replaceFirst("\\.(tar|tgz).*$", "");
        return new EncodedImages(name + "/" + split, size, classes, pictures, ImageNames.divided(encoded.keySet()));
    }

    private static Map<String, byte[]> read(Path archive) {
        long room = Runtime.getRuntime().maxMemory() / 2;
        Map<String, byte[]> encoded = new TreeMap<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(Compressed.open(archive))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (!entry.isFile() || !ImageNames.isPicture(entry.getName())) {
                    continue;
                }
                room -= entry.getSize();
                if (entry.getSize() < 0 || room < 0) {
                    throw new RetortException(
                            Kind.DATA,
                            archive + " does not fit into half of the heap; unpack it and set data.path to the folder");
                }
                byte[] bytes = tar.readNBytes((int) entry.getSize());
                if (bytes.length < entry.getSize()) {
                    throw new EOFException("it is cut off inside " + entry.getName());
                }
                encoded.put(entry.getName().replaceFirst("^(\\./)+", ""), bytes);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the archive " + archive + " (" + e.getMessage() + "); fetch it again", e);
        }
        return withoutRoot(encoded);
    }

    /** Drops the one folder that holds all others, where it is no split: {@code digits/3/a.jpg} is of the class 3. */
    private static Map<String, byte[]> withoutRoot(Map<String, byte[]> encoded) {
        Set<String> roots = new HashSet<>();
        for (String path : encoded.keySet()) {
            String root = path.substring(0, path.indexOf('/') + 1);
            roots.add(path.indexOf('/', root.length()) < 0 ? "" : root);
        }
        String root = roots.size() == 1 ? roots.iterator().next() : "";
        if (root.isEmpty() || ImageNames.SPLITS.contains(root.substring(0, root.length() - 1))) {
            return encoded;
        }
        Map<String, byte[]> below = new TreeMap<>();
        encoded.forEach((path, bytes) -> below.put(path.substring(root.length()), bytes));
        return below;
    }
}
