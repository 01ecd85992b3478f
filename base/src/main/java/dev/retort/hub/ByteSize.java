package dev.retort.hub;

import java.util.Locale;

/** Bytes as people read them, in powers of ten as disks and the hub count. */
public final class ByteSize {
    private ByteSize() {}

    /** {@code 912 B}, {@code 4.2 kB}, {@code 2.70 GB}. */
    public static String text(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        if (bytes < 1_000_000) {
            return String.format(Locale.ROOT, "%.1f kB", bytes / 1e3);
        }
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }
}
