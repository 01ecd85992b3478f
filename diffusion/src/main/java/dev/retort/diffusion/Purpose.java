package dev.retort.diffusion;

/**
 * What a random stream is for. The code is part of the address of every number drawn, hence of every reproducible result: codes
 * are given once and never reused or changed.
 */
public enum Purpose {
    INIT(1),
    SHUFFLE(2),
    AUGMENT(3),
    TIME(4),
    NOISE(5),
    LABEL_DROP(6),
    SAMPLE_START(7),
    SAMPLE_STEP(8),
    LABEL(9),
    DROPOUT(10),
    DATA(11),
    EVALUATE(12),
    GUIDANCE(13),
    LATENT(14),
    LOSS(15),
    SAMPLE_KNOWN(16);

    private final int code;

    Purpose(int code) {
        this.code = code;
    }

    /** The number that stands for this purpose in an address, 1..255. */
    public int code() {
        return code;
    }
}
