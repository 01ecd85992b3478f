package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code .tar} or {@code .tar.gz} archives of pictures in class folders, perhaps below split folders, or with WebDataset's
 * {@code .cls}, {@code .txt} and {@code .json} files. Those that are not compressed are read once from header to header, and
 * each picture where it lies when it is wanted; of compressed ones the encoded pictures stay in memory.
 */
public final class TarImages {
    private TarImages() {}

    /** Reads an archive, those in a folder, or those of {@link ShardNames}. */
    static ImageSource open(String path, String split, int size) {
        if (ShardNames.are(path)) {
            List<Path> shards = ShardNames.of(path);
            return openAll(shards.get(0).toAbsolutePath().getParent(), shards, split, size);
        }
        Path place = Datasets.existing(path);
        return Files.isDirectory(place)
                ? openAll(place, Datasets.archives(place), split, size)
                : open(place, split, size);
    }

    /**
     * Reads an archive.
     *
     * @param archive the file
     * @param split which of its {@code train}, {@code test}, {@code val} folders; {@code train} where there are none
     * @param size rows and columns to crop to
     */
    public static ImageSource open(Path archive, String split, int size) {
        TarFiles read = TarFiles.read(List.of(archive));
        String name = archive.getFileName().toString().replaceFirst("\\.(tar|tgz).*$", "");
        return EncodedImages.of(name + "/" + split, size, split, archive.toString(), read.files(), read.notes());
    }

    /**
     * Reads the archives of a folder as one set: those with the split's name in theirs, such as {@code train-00000.tar},
     * or all where no name has one.
     *
     * @param archives all that lie in the folder
     */
    static ImageSource openAll(Path folder, List<Path> archives, String split, int size) {
        Set<String> named = new TreeSet<>();
        archives.forEach(archive -> splitOf(archive).ifPresent(named::add));
        if (named.isEmpty() && !archives.isEmpty()) {
            TarFiles read = TarFiles.read(archives);
            return EncodedImages.of(
                    name(folder, archives, split), size, split, folder.toString(), read.files(), read.notes());
        }
        Optional<String> wanted = Splits.of(split);
        List<Path> chosen = archives.stream()
                .filter(archive -> wanted.isPresent() && splitOf(archive).equals(wanted))
                .toList();
        if (chosen.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "no .tar or .tar.gz with '" + split + "' in its name in " + folder
                            + (named.isEmpty() ? "" : ", only of " + named)
                            + "; set data.path to the archive itself");
        }
        TarFiles read = TarFiles.read(chosen);
        List<String> notes = new ArrayList<>(read.notes());
        List<String> unnamed = archives.stream()
                .filter(archive -> splitOf(archive).isEmpty())
                .map(archive -> archive.getFileName().toString())
                .toList();
        if (!unnamed.isEmpty()) {
            notes.add("left out: " + String.join(", ", unnamed) + ", with no split in the name beside archives of "
                    + String.join(", ", named));
        }
        return EncodedImages.ofSplit(name(folder, chosen, split), size, split, folder.toString(), read.files(), notes);
    }

    private static String name(Path folder, List<Path> archives, String split) {
        Path named =
                archives.size() == 1 ? archives.get(0) : folder.toAbsolutePath().normalize();
        return named.getFileName().toString().replaceFirst("\\.(tar|tgz).*$", "") + "/" + split;
    }

    private static Optional<String> splitOf(Path archive) {
        return Splits.inName(archive.getFileName().toString());
    }
}
