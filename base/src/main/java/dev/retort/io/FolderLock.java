package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The right to write into a folder, which one run at a time has. It is a lock of the operating system on the file
 * {@value #FILE}, so it ends with the process however that ends: a file left by a killed process keeps nobody out. The file
 * says who holds the lock (process, machine, since when) and is deleted when it is given back; one that a killed process left
 * is taken over.
 */
public final class FolderLock implements AutoCloseable {
    /** Name of the file in the folder. */
    public static final String FILE = "retort.lock";

    private static final int LONGEST_HOLDER = 400;
    private static final Pattern HOLDER = Pattern.compile("process (\\d+) on (\\S+) since [0-9TZ:-]+");

    /**
     * What this process holds. Linux drops a process's lock as soon as the process closes the file anywhere, so a second
     * attempt of the same process must be refused before it opens the file.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final Path file;
    private final FileChannel channel;
    private final List<Path> made;

    private FolderLock(Path folder, Path file, FileChannel channel, List<Path> made) {
        this.folder = folder;
        this.file = file;
        this.channel = channel;
        this.made = made;
    }

    /**
     * Takes the lock, without waiting; the folder is created where it does not exist.
     *
     * @param notes is told whose lock was taken over, as that process ended without giving it back, and where the file system
     *     has no locks, so that only the file keeps others out
     * @throws RetortException of kind WRITE when another run holds it, naming its process, or the folder cannot be written
     */
    public static FolderLock take(Path folder, Consumer<String> notes) {
        List<Path> made = missing(folder);
        try {
            Files.createDirectories(folder);
            Path file = folder.toRealPath().resolve(FILE);
            if (!HELD.add(file)) {
                throw inUse(folder, "this process");
            }
            FileChannel channel = null;
            try {
                channel = locked(folder, file, notes);
                return new FolderLock(folder, file, channel, made);
            } finally {
                if (channel == null) {
                    HELD.remove(file);
                }
            }
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    "the folder " + folder + " cannot be used (" + AtomicWrite.reason(e) + "); choose another",
                    e);
        }
    }

    /** The folders that creating this one would make, deepest first. */
    private static List<Path> missing(Path folder) {
        List<Path> missing = new ArrayList<>();
        for (Path at = folder.toAbsolutePath().normalize(); at != null && !Files.exists(at); at = at.getParent()) {
            missing.add(at);
        }
        return missing;
    }

    private static FileChannel locked(Path folder, Path file, Consumer<String> notes) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            boolean taken = false;
            try {
                String before = holder(channel);
                boolean locks = lock(channel, folder, notes, before);
                if (!before.isEmpty()) {
                    notes.accept(before + " had " + folder + " and ended without giving it back"
                            + (locks ? "" : ", as far as can be seen") + "; going on there");
                }
                // Who gave the lock back deleted the file: a lock on a deleted file keeps nobody out.
                taken = Files.exists(file);
                if (taken) {
                    String here = "process " + ProcessHandle.current().pid() + " on " + Host.name() + " since "
                            + Instant.now().truncatedTo(ChronoUnit.SECONDS);
                    AtomicWrite.writeFully(
                            channel.truncate(0), ByteBuffer.wrap((here + "\n").getBytes(StandardCharsets.UTF_8)));
                    return channel;
                }
            } finally {
                if (!taken) {
                    channel.close();
                }
            }
        }
    }

    /**
     * Takes the lock, or refuses.
     *
     * @param before whom the file names; empty where nobody
     * @return false where the file system has no locks and the file names nobody who lives
     */
    private static boolean lock(FileChannel channel, Path folder, Consumer<String> notes, String before) {
        try {
            if (channel.tryLock() == null) {
                // Nobody is named in the instant between taking the lock and writing the name.
                throw inUse(folder, before.isEmpty() ? "another process" : before);
            }
            return true;
        } catch (IOException e) {
            if (lives(before)) {
                throw inUse(folder, before);
            }
            notes.accept("the file system of " + folder + " has no locks (" + AtomicWrite.reason(e)
                    + "); see to it that no other process writes there");
            return false;
        }
    }

    private static String holder(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(LONGEST_HOLDER);
        channel.read(text, 0);
        String line = new String(text.array(), 0, text.position(), StandardCharsets.UTF_8).strip();
        return HOLDER.matcher(line).matches() ? line : "";
    }

    private static boolean lives(String holder) {
        Matcher parts = HOLDER.matcher(holder);
        return parts.matches()
                && parts.group(2).equals(Host.name())
                && ProcessHandle.of(Long.parseLong(parts.group(1))).isPresent();
    }

    private static RetortException inUse(Path folder, String holder) {
        Matcher parts = HOLDER.matcher(holder);
        String stop = parts.matches() ? "stop it (kill " + parts.group(1) + ")" : "stop it";
        return new RetortException(
                Kind.WRITE,
                folder + " is in use by " + holder + ", which goes on undisturbed; wait until it ends or " + stop
                        + ", or choose another folder");
    }

    /** The folder. */
    public Path folder() {
        return folder;
    }

    /** Gives the right back; folders that taking it created are deleted where nothing was written into them. */
    @Override
    public void close() {
        try (FileChannel held = channel) {
            Files.deleteIfExists(file); // while it is still locked
        } catch (IOException e) {
            // Unwritable by now: a file that nobody holds keeps nobody out.
        } finally {
            HELD.remove(file);
        }
        try {
            for (Path empty : made) {
                Files.delete(empty);
            }
        } catch (IOException e) {
            // Not empty, so it is to stay.
        }
    }
}
