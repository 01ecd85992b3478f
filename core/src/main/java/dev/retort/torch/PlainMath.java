package dev.retort.torch;

import org.bytedeco.pytorch.GradMode;

/**
 * A scope in which gradients are recorded and nothing is cast, whatever is set on this thread: whoever needs a kernel first
 * may have it otherwise, and kernels are tried and timed in this way.
 */
final class PlainMath implements AutoCloseable {
    private final Scope scope = Scope.open();
    private final Autocast uncast = Autocast.to(Precision.FP32, Device.CPU);
    private final boolean recording = GradMode.is_enabled();

    private PlainMath() {
        GradMode.set_enabled(true);
    }

    static PlainMath open() {
        return new PlainMath();
    }

    @Override
    public void close() {
        GradMode.set_enabled(recording);
        uncast.close();
        scope.close();
    }
}
