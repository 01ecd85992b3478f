package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FileHash;
import dev.retort.io.FileNames;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files that a latent cache was made from, pictures and what is written about them: a line of {@code sources.jsonl} each,
 * with its path below the data, bytes, time of change and SHA-256. A file counts as changed where its bytes are others; where
 * size and time are as they were, it is not read again.
 */
public final class SourceFiles {
    /** Name of the file in a cache's folder. */
    public static final String NAME = "sources.jsonl";

    private static final int LISTED = 3;

    private final Map<String, Source> sources;

    /** Of one file: modified in milliseconds since 1970. */
    private record Source(String path, long bytes, long modified, String sha256) {}

    private SourceFiles(Map<String, Source> sources) {
        this.sources = sources;
    }

    /** How many there are. */
    public int count() {
        return sources.size();
    }

    /**
     * Hashes the files of a source.
     *
     * @param data where they lie
     * @param known what was hashed before: files with its sizes and times are not read again
     * @param interrupted polled before every file
     */
    public static SourceFiles of(ImageSource source, DataConfig data, SourceFiles known, BooleanSupplier interrupted) {
        Map<String, Source> sources = new TreeMap<>();
        for (Path file : source.files()) {
            if (interrupted.getAsBoolean()) {
                throw new RetortException(Kind.INTERRUPTED, "stopped while hashing the files of " + source.name());
            }
            String path = below(root(data), file);
            sources.put(path, now(path, file, known.sources.get(path)));
        }
        return new SourceFiles(sources);
    }

    /** Those of a cache; none where it says nothing of them. */
    public static SourceFiles read(Path cache) {
        Path file = cache.resolve(NAME);
        Map<String, Source> sources = new TreeMap<>();
        if (!Files.exists(file)) {
            return new SourceFiles(sources);
        }
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Source source = JsonMapper.shared().readValue(line, Source.class);
                sources.put(source.path(), source);
            }
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read " + file + " (" + e.getMessage() + "); delete it and encode again", e);
        }
        return new SourceFiles(sources);
    }

    /** Writes them into a cache's folder. */
    public void write(Path cache) {
        AtomicWrite.file(cache.resolve(NAME), channel -> {
            for (Source source : sources.values()) {
                ByteBuffer line = ByteBuffer.wrap(
                        (JsonMapper.shared().writeValueAsString(source) + "\n").getBytes(StandardCharsets.UTF_8));
                while (line.hasRemaining()) {
                    channel.write(line);
                }
            }
        });
    }

    /**
     * Refuses a cache that was made from other files than there are now.
     *
     * @param now the files of the source as they are
     * @throws RetortException of kind DATA that names some that are others, gone or new
     */
    public void requireSame(Path cache, SourceFiles now) {
        List<String> changed = new ArrayList<>();
        List<String> gone = new ArrayList<>();
        sources.forEach((path, was) -> {
            Source is = now.sources.get(path);
            if (is == null) {
                gone.add(path);
            } else if (!is.sha256().equals(was.sha256())) {
                changed.add(path);
            }
        });
        List<String> added = now.sources.keySet().stream()
                .filter(path -> !sources.containsKey(path))
                .toList();
        StringJoiner found = new StringJoiner("; ");
        tell(found, "changed", changed);
        tell(found, "gone", gone);
        tell(found, "new", added);
        if (found.length() > 0) {
            throw stale(cache, found.toString());
        }
    }

    /**
     * Refuses a cache some of whose files have changed; those that are not there are not missed, since a cache serves without
     * them.
     *
     * @throws RetortException of kind DATA that names some
     */
    void requireUnchanged(Path cache, DataConfig data) {
        List<String> changed = new ArrayList<>();
        sources.values().forEach(was -> {
            Path file = root(data).resolve(FileNames.path(was.path()));
            if (Files.isRegularFile(file)
                    && !now(was.path(), file, was).sha256().equals(was.sha256())) {
                changed.add(was.path());
            }
        });
        if (!changed.isEmpty()) {
            StringJoiner found = new StringJoiner("");
            tell(found, "changed", changed);
            throw stale(cache, found.toString());
        }
    }

    private static Source now(String path, Path file, Source known) {
        try {
            long bytes = Files.size(file);
            long modified = Files.getLastModifiedTime(file).toMillis();
            boolean same = known != null && known.bytes() == bytes && known.modified() == modified;
            return new Source(path, bytes, modified, same ? known.sha256() : FileHash.sha256(List.of(file)));
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read " + file + " (" + AtomicWrite.reason(e) + "); check data.path", e);
        }
    }

    private static void tell(StringJoiner found, String what, List<String> paths) {
        if (!paths.isEmpty()) {
            found.add(what + ": " + FirstFew.of(paths, LISTED));
        }
    }

    private static RetortException stale(Path cache, String found) {
        return new RetortException(
                        Kind.DATA,
                        "the files that " + cache + " was encoded from are others now (" + found
                                + "); encode them into another folder, or delete this one and encode again")
                .about("folder");
    }

    /** The folder that paths count from: that of the data, or the one its file lies in. */
    private static Path root(DataConfig data) {
        Path place = Datasets.expanded(data.path()).toAbsolutePath().normalize();
        return Files.isDirectory(place) ? place : place.getParent();
    }

    private static String below(Path root, Path file) {
        StringJoiner path = new StringJoiner("/");
        root.relativize(file.toAbsolutePath().normalize()).forEach(part -> path.add(FileNames.text(part)));
        return path.toString();
    }
}
