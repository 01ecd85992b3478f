package dev.retort.data;

/** Random bits addressed by (seed, purpose, a, b): the finaliser of SplitMix64 over the chained parts. */
final class Draw {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private Draw() {}

    static long bits(long seed, int purpose, long a, long b) {
        return mix(mix(mix(mix(seed + GOLDEN) + purpose * GOLDEN) + a * GOLDEN) + b * GOLDEN);
    }

    /** Uniform in [0, 1). */
    static double uniform(long seed, int purpose, long a, long b) {
        return (bits(seed, purpose, a, b) >>> 11) * 0x1p-53;
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
