package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How the rows of a cache are cut into numbered files, {@code latents-00000-of-00004.safetensors}.
 *
 * @param name what the files' names begin with
 * @param rows in all, at least 1
 * @param most rows in each file but the last, at least 1
 */
public record Shards(String name, long rows, int most) {
    /** Number of files. */
    public int count() {
        return Math.toIntExact((rows + most - 1) / most);
    }

    /** First row of a file. */
    public long firstOf(int shard) {
        return (long) shard * most;
    }

    /** Rows in a file. */
    public int rowsOf(int shard) {
        return (int) Math.min(most, rows - firstOf(shard));
    }

    /** Which file holds a row. */
    public int shardOf(long row) {
        return (int) (row / most);
    }

    /** A row's place in its file. */
    public int placeOf(long row) {
        return (int) (row % most);
    }

    /** A file of a folder. */
    public Path file(Path folder, int shard) {
        return folder.resolve(String.format(Locale.ROOT, "%s-%05d-of-%05d.safetensors", name, shard, count()));
    }

    /** The files that a folder does not have yet, in order. */
    public List<Integer> missing(Path folder) {
        return IntStream.range(0, count())
                .filter(i -> !Files.isRegularFile(file(folder, i)))
                .boxed()
                .toList();
    }

    /**
     * Refuses a folder in which one is missing.
     *
     * @param command what makes them, such as {@code retort encode}
     */
    void requireAll(Path folder, String command) {
        missing(folder).stream().findFirst().ifPresent(i -> {
            throw new RetortException(
                    Kind.DATA,
                    file(folder, i) + " is missing; run the same '" + command + "' again, it makes what is not there");
        });
    }
}
