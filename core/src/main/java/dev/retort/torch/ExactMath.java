package dev.retort.torch;

/**
 * Until closed, this thread computes by libtorch's own ops one after another: no kernel of ours and no fused attention, on
 * a GPU neither. Slower, but with forward derivatives and derivatives of every order, which fused kernels have not.
 */
public final class ExactMath implements AutoCloseable {
    private static final ThreadLocal<Boolean> ON = ThreadLocal.withInitial(() -> false);

    private final boolean before = ON.get();

    private ExactMath() {
        ON.set(true);
    }

    /** Exact from here to {@link #close()}. */
    public static ExactMath on() {
        return new ExactMath();
    }

    static boolean isOn() {
        return ON.get();
    }

    @Override
    public void close() {
        ON.set(before);
    }
}
