package dev.retort.report;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a file or a figure comes from: enough to make it again.
 *
 * @param retort version of Retort
 * @param source commit of the source tree that the classes were built in, or empty when they run from elsewhere
 * @param java name and version of the running JDK
 * @param os operating system and architecture
 * @param cpu name of the processor
 * @param cores processors that the JVM may use
 * @param memoryBytes physical memory
 * @param time when, in UTC
 * @param command the command line, or what stands for it
 * @param seed seed of the run
 */
public record Provenance(
        String retort,
        String source,
        String java,
        String os,
        String cpu,
        int cores,
        long memoryBytes,
        String time,
        String command,
        long seed) {

    /** This process, now. */
    public static Provenance here(String command, long seed) {
        long memory =
                ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getTotalMemorySize()
                        : 0;
        String version = Provenance.class.getPackage().getImplementationVersion();
        return new Provenance(
                version == null ? "development" : version,
                sourceCommit().orElse(""),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                cpuName(),
                Runtime.getRuntime().availableProcessors(),
                memory,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                command,
                seed);
    }

    /** The same, for the header of a JSON or safetensors file, in a fixed order. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("retort", retort);
        map.put("source", source);
        map.put("java", java);
        map.put("os", os);
        map.put("cpu", cpu);
        map.put("cores", cores);
        map.put("memoryBytes", memoryBytes);
        map.put("time", time);
        map.put("command", command);
        map.put("seed", seed);
        return map;
    }

    /** The same as texts, for the manifest of a folder. */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        toMap().forEach((key, value) -> texts.put(key, String.valueOf(value)));
        return texts;
    }

    private static String cpuName() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException notLinux) {
            String windows = System.getenv("PROCESSOR_IDENTIFIER");
            return windows != null ? windows : System.getProperty("os.arch");
        }
    }

    private static Optional<String> sourceCommit() {
        CodeSource code = Provenance.class.getProtectionDomain().getCodeSource();
        if (code == null) {
            return Optional.empty();
        }
        try {
            for (Path dir = Path.of(code.getLocation().toURI()); dir != null; dir = dir.getParent()) {
                if (Files.exists(dir.resolve(".git"))) {
                    return headCommit(dir.resolve(".git"));
                }
            }
        } catch (URISyntaxException | IOException | RuntimeException unreadable) {
            return Optional.empty(); // provenance never stops a run
        }
        return Optional.empty();
    }

    /** Reads git's own files, so that no git needs to be installed; {@code .git} is a file in a linked work tree. */
    static Optional<String> headCommit(Path git) throws IOException {
        Path dir = git;
        if (Files.isRegularFile(git)) {
            dir = git.resolveSibling(Files.readString(git).strip().substring("gitdir: ".length()));
        }
        String head = Files.readString(dir.resolve("HEAD")).strip();
        if (!head.startsWith("ref: ")) {
            return Optional.of(head);
        }
        String ref = head.substring("ref: ".length());
        Path shared = dir.resolve("commondir");
        Path common = Files.exists(shared)
                ? dir.resolve(Files.readString(shared).strip()).normalize()
                : dir;
        if (Files.exists(common.resolve(ref))) {
            return Optional.of(Files.readString(common.resolve(ref)).strip());
        }
        try (Stream<String> packed = Files.lines(common.resolve("packed-refs"))) {
            return packed.filter(line -> line.endsWith(" " + ref))
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .findFirst();
        }
    }
}
