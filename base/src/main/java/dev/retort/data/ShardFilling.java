package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.report.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Makes the files of a cache that are not there yet, batch by batch. A file appears whole, so the same call goes on where one was
 * stopped; batches begin anew with each file, so that what is made does not depend on where that was.
 *
 * @param folder where they lie; nobody else writes there
 * @param shards how rows are cut into files
 * @param batch rows made together
 */
public record ShardFilling(Path folder, Shards shards, int batch) {
    /** One file while it is being filled. */
    public interface Shard {
        /** Makes the next {@code count} rows; {@code first} is the number of the first among all. */
        void fill(long first, int count);

        /** Writes the file, all of whose rows are made. */
        void write(Path file);
    }

    /**
     * Makes what is missing.
     *
     * @param begin an empty file of a number
     * @param interrupted polled before every batch
     * @throws RetortException of kind INTERRUPTED where the user stopped; the files written before are there
     */
    public void run(IntFunction<Shard> begin, Consumer<String> notes, Progress progress, BooleanSupplier interrupted) {
        List<Integer> missing = shards.missing(folder);
        if (missing.size() < shards.count()) {
            notes.accept(
                    "resuming: " + (shards.count() - missing.size()) + " of " + shards.count() + " files are there");
        }
        long done = shards.rows() - missing.stream().mapToLong(shards::rowsOf).sum();
        for (int index : missing) {
            Shard shard = begin.apply(index);
            int rows = shards.rowsOf(index);
            for (int at = 0; at < rows; at += batch) {
                if (interrupted.getAsBoolean()) {
                    throw stopped();
                }
                int count = Math.min(batch, rows - at);
                shard.fill(shards.firstOf(index) + at, count);
                progress.update(done + at + count, shards.rows(), "");
            }
            shard.write(shards.file(folder, index));
            done += rows;
        }
        if (missing.isEmpty()) {
            progress.update(shards.rows(), shards.rows(), "");
        }
    }

    private RetortException stopped() {
        return new RetortException(
                Kind.INTERRUPTED,
                "stopped; " + (shards.count() - shards.missing(folder).size()) + " of " + shards.count()
                        + " files are written, the same command makes the others");
    }
}
