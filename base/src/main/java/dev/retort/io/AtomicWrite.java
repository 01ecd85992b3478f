package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files and folders that appear whole or not at all. The content goes to {@code NAME.retort-tmp-…} beside the target, is forced
 * to the disk and renamed; a failure, a full disk or {@code kill -9} leaves what was there before.
 */
public final class AtomicWrite {
    // names that nobody gives a file of their own, since recover() deletes what bears them
    private static final String TEMPORARY = ".retort-tmp-";
    private static final String REPLACED = ".retort-old-";
    private static final Pattern LEFT = Pattern.compile("(.+)(\\.retort-(?:tmp|old)-)\\d+-\\d+");
    private static final AtomicLong COUNTER = new AtomicLong();

    private AtomicWrite() {}

    /** Writes the content of one file. */
    @FunctionalInterface
    public interface FileBody {
        /** Writes everything to the channel, which stands at position 0. */
        void write(FileChannel channel) throws IOException;
    }

    /** Fills one folder. */
    @FunctionalInterface
    public interface FolderBody {
        /** Creates the files below the given, empty folder. */
        void write(Path folder) throws IOException;
    }

    /** Replaces or creates {@code target} with these characters in UTF-8. */
    public static void text(Path target, String content) {
        bytes(target, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Replaces or creates {@code target} with these bytes. */
    public static void bytes(Path target, byte[] content) {
        file(target, channel -> writeFully(channel, ByteBuffer.wrap(content)));
    }

    /**
     * Replaces or creates {@code target} with what {@code body} writes; missing parent folders are created.
     *
     * @throws RetortException of kind WRITE when anything fails; the old file is then untouched
     */
    public static void file(Path target, FileBody body) {
        Path temporary = sibling(target, TEMPORARY);
        try {
            Files.createDirectories(parent(target));
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                body.write(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            force(parent(target));
        } catch (IOException e) {
            throw failed(target, e);
        } catch (UncheckedIOException e) {
            throw failed(target, e.getCause());
        } finally {
            deleteQuietly(temporary);
        }
    }

    /**
     * Tries, before long work, whether {@link #file} could write {@code target}; missing parent folders are created.
     *
     * @throws RetortException of kind WRITE when it could not
     */
    public static void requireWritable(Path target) {
        Path temporary = sibling(target, TEMPORARY);
        try {
            if (Files.isDirectory(target)) {
                throw new FileSystemException(target.toString(), null, "it is a folder, not a file");
            }
            Files.createDirectories(parent(target));
            Files.createFile(temporary);
        } catch (IOException e) {
            throw failed(target, e);
        } finally {
            deleteQuietly(temporary);
        }
    }

    /**
     * Replaces or creates the folder {@code target} with what {@code body} puts into it, all files forced to the disk
     * before the rename. Where a folder of that name exists it is moved aside for the instant between two renames;
     * {@link #recover} puts it back should the process die right there. Where the target is a link to a folder, that folder
     * is replaced.
     *
     * @param own what may be replaced: an existing folder that holds anything else is refused before anything is written
     * @throws RetortException of kind USAGE where the folder must not be replaced, of kind WRITE when anything fails; the old
     *     folder is then untouched
     */
    public static void folder(Path given, OwnFiles own, FolderBody body) {
        own.requireReplaceable(given);
        Path target = behindLink(given);
        Path temporary = sibling(target, TEMPORARY);
        try {
            Files.createDirectories(temporary);
            body.write(temporary);
            forceTree(temporary);
            if (Files.exists(target)) {
                own.requireReplaceable(target); // again: writing may have taken minutes
                Path replaced = sibling(target, REPLACED);
                Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
                try {
                    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    Files.move(replaced, target, StandardCopyOption.ATOMIC_MOVE);
                    throw e;
                }
                force(parent(target));
                deleteQuietly(replaced);
            } else {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
                force(parent(target));
            }
        } catch (IOException e) {
            throw failed(target, e);
        } catch (UncheckedIOException e) {
            throw failed(target, e.getCause());
        } finally {
            deleteQuietly(temporary);
        }
    }

    /**
     * Lends a folder for the time of a call: {@code NAME.tmp-…} beside {@code target}, which is deleted with all in it.
     *
     * @throws RetortException of kind WRITE when it cannot be made
     */
    public static <T> T scratch(Path target, Function<Path, T> body) {
        Path temporary = sibling(target, TEMPORARY);
        try {
            Files.createDirectories(temporary);
            return body.apply(temporary);
        } catch (IOException e) {
            throw failed(target, e);
        } finally {
            deleteQuietly(temporary);
        }
    }

    /**
     * Gives a finished file its place: from a {@link #scratch} folder to {@code target}, which it replaces.
     *
     * @throws RetortException of kind WRITE when that fails; the old file is then untouched
     */
    public static void place(Path finished, Path target) {
        try {
            force(finished);
            Files.move(finished, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            force(parent(target));
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    /**
     * Clears what a killed process left in {@code folder}: unfinished files are deleted, a folder moved aside without
     * its replacement is put back. Call it only where no other process writes, before reading.
     */
    public static void recover(Path folder) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> children = Files.list(folder)) {
            for (Path child : children.sorted().toList()) {
                Matcher left = LEFT.matcher(child.getFileName().toString());
                if (!left.matches()) {
                    continue;
                }
                Path original = child.resolveSibling(left.group(1));
                if (left.group(2).equals(REPLACED) && !Files.exists(original)) {
                    Files.move(child, original, StandardCopyOption.ATOMIC_MOVE);
                } else {
                    deleteQuietly(child);
                }
            }
        } catch (IOException e) {
            throw failed(folder, e);
        }
    }

    /** Writes all of {@code bytes}, whatever portions the channel takes. */
    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static Path behindLink(Path target) {
        try {
            return Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    private static Path parent(Path target) {
        return target.toAbsolutePath().normalize().getParent();
    }

    private static Path sibling(Path target, String mark) {
        String unique = mark + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
        return parent(target).resolve(target.toAbsolutePath().normalize().getFileName() + unique);
    }

    private static void forceTree(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            List<Path> deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                force(path);
            }
        }
    }

    /** Forces a file or a folder entry to the disk; systems that cannot open folders (Windows) need no such step. */
    private static void force(Path path) throws IOException {
        boolean folder = Files.isDirectory(path);
        try (FileChannel channel =
                FileChannel.open(path, folder ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
            channel.force(true);
        } catch (AccessDeniedException e) {
            if (!folder) {
                throw e;
            }
        }
    }

    private static void deleteQuietly(Path path) {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(path)) {
            for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            // The leftover keeps its telling name and recover() removes it; the first error is the one to report.
        }
    }

    private static RetortException failed(Path target, IOException e) {
        return new RetortException(
                Kind.WRITE,
                "cannot write " + target + ": " + reason(e)
                        + "; what was there before is untouched, make room or choose another place and run again",
                e);
    }

    /** Why a file or folder could not be used, in a few words. */
    public static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "no permission";
        }
        if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
            return ((FileSystemException) e).getFile() + " is a file, not a folder";
        }
        if (e instanceof NoSuchFileException) {
            return "the folder does not exist";
        }
        if (e instanceof FileSystemException named && named.getReason() != null) {
            return named.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
