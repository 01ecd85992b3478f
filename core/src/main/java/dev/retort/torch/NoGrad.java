package dev.retort.torch;

import org.bytedeco.pytorch.GradMode;

/** Switches gradient recording off on this thread until closed, then restores what was. */
public final class NoGrad implements AutoCloseable {
    private final boolean before;

    private NoGrad() {
        Natives.load();
        before = GradMode.is_enabled();
        GradMode.set_enabled(false);
    }

    /** Gradients off from here to {@link #close()}. */
    public static NoGrad on() {
        return new NoGrad();
    }

    /** Whether this thread records no gradient. */
    public static boolean isOn() {
        return !GradMode.is_enabled();
    }

    @Override
    public void close() {
        GradMode.set_enabled(before);
    }
}
