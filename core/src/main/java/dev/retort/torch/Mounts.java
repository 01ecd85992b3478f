package dev.retort.torch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The file systems of this machine, as far as they decide whether libraries may be run from a folder.
 *
 * @param lines of {@code /proc/self/mounts}: device, mount point, type, options
 */
public record Mounts(List<String> lines) {
    private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

    public Mounts {
        lines = List.copyOf(lines);
    }

    /** Those of this process; none where the system does not tell. */
    public static Mounts here() {
        try {
            return new Mounts(Files.readAllLines(Path.of("/proc/self/mounts"), StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return new Mounts(List.of());
        }
    }

    /** Whether the file system that holds a folder, which need not exist yet, is mounted {@code noexec}. */
    public boolean forbidPrograms(Path folder) {
        Path real = real(folder.toAbsolutePath().normalize());
        int longest = -1;
        boolean forbidden = false;
        for (String line : lines) {
            String[] parts = line.split(" ");
            if (parts.length < 4) {
                continue;
            }
            Path point = Path.of(unescaped(parts[1]));
            // of two at one place the later one lies on top
            if (real.startsWith(point) && point.getNameCount() >= longest) {
                longest = point.getNameCount();
                forbidden = List.of(parts[3].split(",")).contains("noexec");
            }
        }
        return forbidden;
    }

    private static Path real(Path folder) {
        for (Path at = folder; at != null; at = at.getParent()) {
            try {
                return at.toRealPath().resolve(at.relativize(folder)).normalize();
            } catch (IOException e) {
                // does not exist yet: its parent decides
            }
        }
        return folder;
    }

    /** The kernel writes a blank as {@code \040}. */
    private static String unescaped(String point) {
        return OCTAL.matcher(point)
                .replaceAll(
                        octal -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(octal.group(1), 8))));
    }
}
