package dev.retort.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds the reference numbers, data and weights that lie beside a developer's checkout; skips the test, saying so, elsewhere. */
public final class Shared {
    private Shared() {}

    /** The file or folder below {@code shared/}; the test is skipped with its name where it is absent. */
    public static Path path(String below) {
        Path path = Path.of(System.getProperty("retort.shared", "../../shared"), below)
                .normalize();
        Assumptions.assumeTrue(Files.exists(path), () -> "skipped: shared/" + below + " is not here");
        return path;
    }
}
