package dev.retort.diffusion;

/**
 * The random numbers of PyTorch's generator on CPUs, {@code torch.Generator().manual_seed(seed)}: MT19937 (Matsumoto and Nishimura 1998) and
 * what {@code torch.randn} makes of it in float32, bit for bit as on x86-64 CPUs with AVX2: from 16 values on Box and Muller's transform of
 * blocks of 16 in single precision, below that in double precision, pair by pair. Other CPUs, and GPUs, draw other numbers in PyTorch itself.
 *
 * <p>A stream with a state: what is drawn depends on what was drawn before, and how many at once. Not for several threads at once.
 */
public final class TorchRandom {
    private static final int WORDS = 624;
    private static final int MIDDLE = 397;
    private static final int BLOCK = 16;
    private static final int HALF = BLOCK / 2;
    private static final int MASK_24 = (1 << 24) - 1;
    private static final long MASK_53 = (1L << 53) - 1;
    private static final float TWO_PI = (float) (2 * Math.PI);

    private final int[] words = new int[WORDS];
    private int used = WORDS;
    private double spare = Double.NaN;

    /** Seeds a generator; like PyTorch's it takes the lower 32 bits. */
    public TorchRandom(long seed) {
        words[0] = (int) seed;
        for (int i = 1; i < WORDS; i++) {
            words[i] = 1812433253 * (words[i - 1] ^ words[i - 1] >>> 30) + i;
        }
    }

    /** The next 32 random bits. */
    public int nextInt() {
        if (used == WORDS) {
            twist();
        }
        int y = words[used++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < WORDS; i++) {
            int y = words[i] & 0x80000000 | words[(i + 1) % WORDS] & 0x7fffffff;
            words[i] = words[(i + MIDDLE) % WORDS] ^ y >>> 1 ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        used = 0;
    }

    /** Fills a range with what one call {@code torch.randn(size)} returns. */
    public void fillGaussian(float[] out, int offset, int size) {
        if (size < BLOCK) {
            for (int i = offset; i < offset + size; i++) {
                out[i] = (float) nextGaussian();
            }
            return;
        }
        for (int i = offset; i < offset + size; i++) {
            out[i] = nextFloat();
        }
        for (int i = 0; i + BLOCK <= size; i += BLOCK) {
            normal(out, offset + i);
        }
        if (size % BLOCK != 0) { // the last 16 are drawn anew, whatever stood there
            int last = offset + size - BLOCK;
            for (int i = last; i < last + BLOCK; i++) {
                out[i] = nextFloat();
            }
            normal(out, last);
        }
    }

    private float nextFloat() {
        return (nextInt() & MASK_24) * 0x1p-24f;
    }

    private double nextDouble() {
        long bits = (long) nextInt() << 32 | nextInt() & 0xFFFF_FFFFL;
        return (bits & MASK_53) * 0x1p-53;
    }

    /** Of a pair the second is kept for the next call, which may be another {@code torch.randn}. */
    private double nextGaussian() {
        if (!Double.isNaN(spare)) {
            double kept = spare;
            spare = Double.NaN;
            return kept;
        }
        double u1 = nextDouble();
        double u2 = nextDouble();
        double radius = Math.sqrt(-2 * StrictMath.log1p(-u2));
        double theta = 2 * Math.PI * u1;
        spare = radius * StrictMath.sin(theta);
        return radius * StrictMath.cos(theta);
    }

    /** 16 shares of [0, 1) into 16 normal numbers: the first half gives radii, the second angles. */
    private static void normal(float[] values, int from) {
        for (int i = from; i < from + HALF; i++) {
            float radius = (float) Math.sqrt(-2 * SingleMath.log(1 - values[i]));
            float theta = TWO_PI * values[i + HALF];
            values[i] = radius * SingleMath.cos(theta) + 0f; // no negative zero
            values[i + HALF] = radius * SingleMath.sin(theta) + 0f;
        }
    }
}
