package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** What the kinds of {@link DataConfig} share in opening their pictures. */
public final class Datasets {
    private static final int LISTED = 10;

    private Datasets() {}

    /** Tells what was opened and what was left out, a sentence each. */
    public static void describe(ImageSource source, Consumer<String> notes) {
        List<String> classes = source.classNames();
        notes.accept("data: " + source.name() + ", " + source.height() + " x " + source.width() + ", " + classes.size()
                + (classes.size() == 1 ? " class (" : " classes (") + FirstFew.of(classes, LISTED) + "), "
                + (source.size() == ImageSource.INFINITE ? "without end" : source.size() + " images"));
        source.notes().forEach(notes);
    }

    /**
     * A caption for each place of a stream of the pictures, in the order and of the wording that training under this seed would see there.
     *
     * @throws RetortException of kind DATA where nothing is written about some of them
     */
    public static List<String> captions(ImageSource source, int count, long seed) {
        source.requireCaptions();
        Order order = new Order(source.size(), seed);
        return LongStream.range(0, count)
                .mapToObj(k ->
                        source.note(order.index(k)).oneCaption(order.caption(k)).caption())
                .toList();
    }

    /** The place that a path means, which must be there. */
    static Path existing(String path) {
        Path expanded = expanded(path);
        if (!Files.exists(expanded)) {
            throw new RetortException(
                    Kind.DATA,
                    "data.path is " + path + ", where there is nothing (looked in "
                            + expanded.toAbsolutePath().normalize() + "); give the place of the pictures");
        }
        if (!Files.isReadable(expanded)) {
            throw new RetortException(
                    Kind.DATA,
                    "data.path is " + path + ", which you have no permission to read; change its permissions");
        }
        return expanded;
    }

    /** With the folder that {@code ~/} means. */
    static Path expanded(String path) {
        return path.startsWith("~/")
                ? Path.of(System.getProperty("user.home"), path.substring(2))
                : FileNames.path(path);
    }

    /** The same, which must be a folder. */
    static Path folder(String given) {
        Path path = existing(given);
        if (!Files.isDirectory(path)) {
            throw new RetortException(
                    Kind.DATA, "data.path is " + path + ", a file; set it to the folder, or data.kind=auto");
        }
        return path;
    }

    /** Refuses a size that pictures do not have which are not resized. */
    static ImageSource ofStoredSize(DataConfig config, ImageSource images) {
        int size = config.size();
        if (size != 0 && (size != images.height() || size != images.width())) {
            boolean latents = images.autoencoder().isPresent();
            throw new RetortException(
                    Kind.CONFIG,
                    "data.size is " + size + " but the " + (latents ? "latents" : "pictures") + " of " + config.path()
                            + " are " + images.height() + "x" + images.width() + "; set data.size="
                            + (latents ? 0 : images.height()));
        }
        return images;
    }

    /** The tar archives in a folder. */
    static List<Path> archives(Path folder) {
        return children(folder).stream().filter(Datasets::isArchive).toList();
    }

    private interface FileKind {
        DataConfig of(String path, String split, int size, boolean flip);
    }

    /** The kind that is there. */
    static DataConfig found(DataConfig.Auto auto) {
        if (ShardNames.are(auto.path())) {
            return new DataConfig.Tar(auto.path(), auto.split(), auto.size(), auto.flip());
        }
        return kindAt(existing(auto.path()), auto.split()).of(auto.path(), auto.split(), auto.size(), auto.flip());
    }

    private static FileKind kindAt(Path path, String split) {
        if (!Files.isDirectory(path)) {
            if (isArchive(path)) {
                return path.getFileName().toString().startsWith("cifar-10-binary")
                        ? DataConfig.Cifar10::new
                        : DataConfig.Tar::new;
            }
            if (path.toString().matches(".*\\.bin(\\.gz)?")) {
                return DataConfig.Cifar10::new;
            }
            throw new RetortException(Kind.DATA, "data.path is " + path + ", expected a folder, .tar, .tar.gz or .bin");
        }
        if (LatentFolder.is(path)) {
            return DataConfig.Latents::new;
        }
        List<Path> children = children(path);
        if (children.stream().anyMatch(file -> file.toString().matches(".*[-.]idx[13]-ubyte(\\.gz)?"))) {
            return DataConfig.Idx::new;
        }
        if (CifarImages.isIn(path, split)) {
            return DataConfig.Cifar10::new;
        }
        boolean folders = children.stream()
                .anyMatch(child -> Files.isDirectory(child)
                        && !ImageNames.isHidden(child.getFileName().toString()));
        return !folders && !archives(path).isEmpty() ? DataConfig.Tar::new : DataConfig.Folder::new;
    }

    private static boolean isArchive(Path file) {
        String name = file.getFileName().toString();
        return name.toLowerCase(Locale.ROOT).matches(".*\\.(tar|tar\\.gz|tgz)") && !ImageNames.isHidden(name);
    }

    private static List<Path> children(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the folder " + folder + " (" + e.getMessage() + "); check data.path", e);
        }
    }
}
