package dev.retort.layout;

import dev.retort.io.Dtype;

/**
 * How weights are stored.
 *
 * @param dtype element type of all values: F32, F16 or BF16
 * @param mostBytes size above which a layout that knows shards cuts its weights into several files
 */
public record Storage(Dtype dtype, long mostBytes) {
    /** Where the diffusers library cuts its files. */
    public static final long SHARD_BYTES = 10_000_000_000L;

    /** In a type, cut where the library cuts. */
    public static Storage of(Dtype dtype) {
        return new Storage(dtype, SHARD_BYTES);
    }
}
