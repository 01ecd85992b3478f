package dev.retort.data;

import dev.retort.config.Require;
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
import java.util.stream.Stream;

/** Opens what a {@link DataSpec} describes. */
public final class Datasets {
    private static final int SHAPES_SIZE = 32;
    private static final int LISTED = 10;
    private static final long TRAIN_SEED = 1;
    private static final long TEST_SEED = 2;

    private Datasets() {}

    /**
     * Opens the pictures.
     *
     * @throws RetortException of kind DATA or CONFIG when they are missing, unreadable or of another size
     */
    public static ImageSource open(DataSpec spec) {
        if (spec.kind().equals("shapes")) {
            int size = spec.size() == 0 ? SHAPES_SIZE : spec.size();
            Require.between("data.size", size, 16, 64);
            return new Shapes(size, spec.split().equals("train") ? TRAIN_SEED : TEST_SEED);
        }
        Path path = existing(spec.path());
        String kind = spec.kind().equals("auto") ? kindOf(path, spec.split()) : spec.kind();
        return switch (kind) {
            case "idx" -> IdxImages.open(folder(path), spec.split(), spec.size());
            case "cifar10" -> cifar(path, spec);
            case "latents" -> latents(folder(path), spec);
            case "tar" ->
                Files.isDirectory(path)
                        ? TarImages.openAll(path, archives(path), spec.split(), spec.size())
                        : TarImages.open(path, spec.split(), spec.size());
            default -> FolderImages.open(folder(path), spec.split(), spec.size());
        };
    }

    /** The pictures themselves: those that a latent cache was made from, else what the spec says. */
    public static DataSpec pictures(DataSpec spec) {
        if (spec.kind().equals("shapes")) {
            return spec;
        }
        Path path = existing(spec.path());
        boolean latents = spec.kind().equals("latents") || spec.kind().equals("auto") && LatentFolder.is(path);
        return latents ? new LatentFolder(folder(path)).manifest().source() : spec;
    }

    /** Tells what was opened and what was left out, a sentence each. */
    public static void describe(ImageSource source, Consumer<String> notes) {
        List<String> classes = source.classNames();
        notes.accept("data: " + source.name() + ", " + source.height() + " x " + source.width() + ", " + classes.size()
                + (classes.size() == 1 ? " class (" : " classes (") + FirstFew.of(classes, LISTED) + "), "
                + (source.size() == ImageSource.INFINITE ? "without end" : source.size() + " images"));
        source.notes().forEach(notes);
    }

    private static Path existing(String path) {
        Path expanded = path.startsWith("~/")
                ? Path.of(System.getProperty("user.home"), path.substring(2))
                : FileNames.path(path);
        if (!Files.exists(expanded)) {
            throw new RetortException(
                    Kind.DATA,
                    "data.path is " + path + ", where nothing lies (looked in "
                            + expanded.toAbsolutePath().normalize() + "); give the place of the pictures");
        }
        if (!Files.isReadable(expanded)) {
            throw new RetortException(Kind.DATA, "data.path is " + path + ", which may not be read; change its rights");
        }
        return expanded;
    }

    private static Path folder(Path path) {
        if (!Files.isDirectory(path)) {
            throw new RetortException(
                    Kind.DATA, "data.path is " + path + ", a file; set it to the folder, or data.kind=auto");
        }
        return path;
    }

    private static ImageSource cifar(Path path, DataSpec spec) {
        CifarImages images = CifarImages.open(path, spec.split());
        if (spec.size() != 0 && spec.size() != images.height()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data.size is " + spec.size() + " but the pictures of " + path + " are 32x32; set data.size=32");
        }
        return images;
    }

    private static ImageSource latents(Path path, DataSpec spec) {
        LatentImages images = LatentImages.open(path);
        if (spec.size() != 0 && (spec.size() != images.height() || spec.size() != images.width())) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data.size is " + spec.size() + " but the latents of " + path + " are " + images.height() + "x"
                            + images.width() + "; set data.size=0");
        }
        return images;
    }

    private static List<Path> archives(Path folder) {
        return children(folder).stream().filter(Datasets::isArchive).toList();
    }

    private static String kindOf(Path path, String split) {
        if (!Files.isDirectory(path)) {
            if (isArchive(path)) {
                return path.getFileName().toString().startsWith("cifar-10-binary") ? "cifar10" : "tar";
            }
            if (path.toString().matches(".*\\.bin(\\.gz)?")) {
                return "cifar10";
            }
            throw new RetortException(
                    Kind.DATA,
                    "data.path is " + path + ", which is no folder, .tar, .tar.gz or .bin; set it to one of these");
        }
        if (LatentFolder.is(path)) {
            return "latents";
        }
        List<Path> children = children(path);
        if (children.stream().anyMatch(file -> file.toString().matches(".*[-.]idx[13]-ubyte(\\.gz)?"))) {
            return "idx";
        }
        if (CifarImages.isIn(path, split)) {
            return "cifar10";
        }
        boolean folders = children.stream()
                .anyMatch(child -> Files.isDirectory(child)
                        && !ImageNames.isHidden(child.getFileName().toString()));
        return !folders && !archives(path).isEmpty() ? "tar" : "folder";
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
