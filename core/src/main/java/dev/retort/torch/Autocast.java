package dev.retort.torch;

import org.bytedeco.pytorch.global.torch;

/**
 * Matrix products in bf16 on this thread until closed. Closing clears the cache of cast weights: after an optimiser step
 * it would hold the weights of the step before.
 */
public final class Autocast implements AutoCloseable {
    private final torch.DeviceType type;
    private final boolean before;
    private final boolean apart;

    private Autocast(Device device, boolean enabled, boolean apart) {
        Natives.load();
        this.apart = apart;
        type = device.deviceType();
        before = torch.is_autocast_enabled(type);
        torch.set_autocast_dtype(type, torch.ScalarType.BFloat16);
        torch.set_autocast_enabled(type, enabled);
    }

    /** Autocast to bf16 where {@code precision} says so; fp32 switches an outer autocast off. */
    public static Autocast to(Precision precision, Device device) {
        return new Autocast(device, precision == Precision.BF16, false);
    }

    /**
     * The same for what records no graph: weights that were cast without one are forgotten on closing, so that what follows
     * under an outer autocast does not take them, and lose the gradients of the weights.
     */
    public static Autocast apart(Precision precision, Device device) {
        return new Autocast(device, precision == Precision.BF16, true);
    }

    /** Whether matrix products on {@code device} are being cast on this thread. */
    public static boolean isOn(Device device) {
        Natives.load();
        return torch.is_autocast_enabled(device.deviceType());
    }

    @Override
    public void close() {
        torch.set_autocast_enabled(type, before);
        if (!before || apart) {
            torch.clear_cache();
        }
    }
}
