package dev.retort.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The machine that this process runs on. */
public final class Host {
    private static final Path LINUX = Path.of("/proc/sys/kernel/hostname");

    private Host() {}

    /** Its name, as Linux or the environment says it, without asking the network; {@code unknown} where nobody does. */
    public static String name() {
        try {
            String name = Files.isReadable(LINUX) ? Files.readString(LINUX).strip() : "";
            return name.isEmpty() ? named(System.getenv("COMPUTERNAME"), System.getenv("HOSTNAME")) : name;
        } catch (IOException e) {
            return named(System.getenv("HOSTNAME"), null);
        }
    }

    private static String named(String first, String second) {
        String name = first != null && !first.isBlank() ? first : second;
        return name == null || name.isBlank() ? "unknown" : name.strip();
    }
}
