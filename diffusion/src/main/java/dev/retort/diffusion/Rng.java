package dev.retort.diffusion;

import java.util.Objects;

/**
 * A stream of random numbers named by its address: (seed, purpose, images seen, sample index). Philox4x32-10 (Salmon et al. 2011)
 * encrypts the address and a block counter, so two different addresses never share a block, a stream can be opened
 * anywhere at any time without drawing what came before, and no state has to be saved.
 *
 * <p>Only integer arithmetic, IEEE double arithmetic and {@link StrictMath} are used: the same address gives the same numbers on
 * every machine. Not for use by several threads at once; open one stream per sample instead.
 */
public final class Rng {
    private static final long MAX_IMAGES = 1L << 48;
    private static final long MAX_SAMPLE = 1L << 40;
    private static final long LOW = 0xFFFF_FFFFL;
    private static final int RUN = 256;
    private static final double TO_UNIT_53 = 0x1p-53;
    private static final double TO_UNIT_32 = 0x1p-32;

    private final int key0;
    private final int key1;
    private final int word1;
    private final int word2;
    private final int word3;
    private int block;
    private final int[] words = new int[4];
    private int used = 4;

    private Rng(long seed, Purpose purpose, long imagesSeen, long sampleIndex) {
        key0 = (int) seed;
        key1 = (int) (seed >>> 32);
        word1 = (int) sampleIndex;
        word2 = (int) imagesSeen;
        word3 = purpose.code() << 24 | (int) (imagesSeen >>> 32) << 8 | (int) (sampleIndex >>> 32);
    }

    /**
     * Opens the stream at an address.
     *
     * @param seed the seed of the run, any value
     * @param purpose what the numbers are for
     * @param imagesSeen the clock of the run (or the solver step, for {@link Purpose#SAMPLE_STEP}), 0..2^48-1
     * @param sampleIndex the index of the sample in the data set, batch or request, 0..2^40-1
     * @throws IllegalArgumentException if a part is out of range
     */
    public static Rng at(long seed, Purpose purpose, long imagesSeen, long sampleIndex) {
        if (imagesSeen < 0 || imagesSeen >= MAX_IMAGES) {
            throw new IllegalArgumentException("imagesSeen is " + imagesSeen + ", expected 0..2^48-1");
        }
        if (sampleIndex < 0 || sampleIndex >= MAX_SAMPLE) {
            throw new IllegalArgumentException("sampleIndex is " + sampleIndex + ", expected 0..2^40-1");
        }
        return new Rng(seed, purpose, imagesSeen, sampleIndex);
    }

    /** The next 32 random bits. */
    public int nextInt() {
        if (used == 4) {
            nextBlock();
        }
        return words[used++];
    }

    /** The next 64 random bits. */
    public long nextLong() {
        return (long) nextInt() << 32 | nextInt() & LOW;
    }

    /** A whole number in 0..bound-1, every one equally likely (Lemire's rejection, no bias). */
    public int nextInt(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound is " + bound + ", expected at least 1");
        }
        long product = (nextInt() & LOW) * bound;
        long threshold = (1L << 32) % bound;
        while ((product & LOW) < threshold) {
            product = (nextInt() & LOW) * bound;
        }
        return (int) (product >>> 32);
    }

    /** A double in [0, 1) with 53 random bits. */
    public double nextDouble() {
        return (nextLong() >>> 11) * TO_UNIT_53;
    }

    /** A double inside (0, 1) with 53 random bits, the share at which a quantile function is read. */
    public double nextShare() {
        return ((nextLong() >>> 11) + 0.5) * TO_UNIT_53;
    }

    /** A standard normal number from 53 random bits, by the inverse of its distribution function. */
    public double nextGaussian() {
        return NormalQuantile.at(nextShare());
    }

    /** Fills a range with standard normal numbers, 32 random bits each (so none beyond 6.4), the same however it is cut in parts. */
    public void fillGaussian(float[] out, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, out.length);
        int i = offset;
        int end = offset + length;
        while (used < 4 && i < end) {
            out[i++] = (float) NormalQuantile.at(unit(words[used++]));
        }
        // Whole blocks without the detour through the buffer, in runs that the compiler can turn into vector
        // instructions.
        int most = Math.min(RUN, (end - i) & ~3);
        int[] fresh = new int[4];
        double[] p = new double[most];
        double[] z = new double[most];
        while (end - i >= 4) {
            int run = Math.min(most, (end - i) & ~3);
            for (int j = 0; j < run; j += 4) {
                philox(block++, word1, word2, word3, key0, key1, fresh);
                p[j] = unit(fresh[0]);
                p[j + 1] = unit(fresh[1]);
                p[j + 2] = unit(fresh[2]);
                p[j + 3] = unit(fresh[3]);
            }
            NormalQuantile.at(p, z, run, out, i);
            i += run;
        }
        while (i < end) {
            out[i++] = (float) NormalQuantile.at(unit(nextInt()));
        }
    }

    private static double unit(int word) {
        return ((word & LOW) + 0.5) * TO_UNIT_32;
    }

    /** Fills a whole array as {@link #fillGaussian(float[], int, int)} does. */
    public void fillGaussian(float[] out) {
        fillGaussian(out, 0, out.length);
    }

    /** A random order of 0..n-1 (Fisher-Yates). */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private void nextBlock() {
        philox(block++, word1, word2, word3, key0, key1, words);
        used = 0;
    }

    /** Philox4x32-10: encrypts a counter of four words under a key of two. */
    static void philox(int c0, int c1, int c2, int c3, int k0, int k1, int[] out) {
        for (int round = 0; round < 10; round++) {
            long p0 = 0xD2511F53L * (c0 & LOW);
            long p1 = 0xCD9E8D57L * (c2 & LOW);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }
}
