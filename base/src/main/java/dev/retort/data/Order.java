package dev.retort.data;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;

/**
 * Which picture stands at which place of the stream, and whether it is mirrored: a pure function of the seed and the
 * clock, so a resumed run sees what it would have seen.
 */
final class Order {
    private final long size;
    private final long seed;
    private final int[][] permutations = new int[2][];
    private final long[] epochs = {-1, -1};

    Order(long size, long seed) {
        if (size != ImageSource.INFINITE && (size < 1 || size > Integer.MAX_VALUE)) {
            throw new IllegalArgumentException("size is " + size + ", expected 1 to " + Integer.MAX_VALUE);
        }
        this.size = size;
        this.seed = seed;
    }

    /** Index of the picture at place {@code k} of the stream: each epoch shows every picture once, in its own order. */
    long index(long k) {
        return size == ImageSource.INFINITE ? k : permutation(k / size)[(int) (k % size)];
    }

    /** Whether the picture at place {@code k} is mirrored, where mirroring is asked for. */
    boolean mirrored(long k) {
        return (Rng.at(seed, Purpose.AUGMENT, k, 0).nextInt() & 1) == 1;
    }

    /** Random numbers of place {@code k}, for sources that hold distributions. */
    Rng chance(long k) {
        return Rng.at(seed, Purpose.LATENT, k, 0);
    }

    /** Random numbers of place {@code k} that choose among the captions of its picture. */
    Rng caption(long k) {
        return Rng.at(seed, Purpose.AUGMENT, k, 1);
    }

    /** The picture that stands in at place {@code k} when {@code attempt} others (from 1) proved damaged. */
    long replacement(long k, int attempt) {
        return Rng.at(seed, Purpose.SHUFFLE, k, attempt).nextInt((int) Math.min(size, Integer.MAX_VALUE));
    }

    /** The last two epochs are kept because batches in flight may straddle a boundary. */
    private synchronized int[] permutation(long epoch) {
        int slot = (int) (epoch & 1);
        if (epochs[slot] != epoch) {
            permutations[slot] = Rng.at(seed, Purpose.SHUFFLE, epoch, 0).permutation((int) size);
            epochs[slot] = epoch;
        }
        return permutations[slot];
    }
}
