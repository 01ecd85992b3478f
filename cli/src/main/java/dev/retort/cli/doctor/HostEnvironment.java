package dev.retort.cli.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What lies around the process and is no part of it: container limits, GPUs, copies of libtorch that are not ours. Read
 * from files, so that it ends quickly whatever state the machine is in.
 */
public final class HostEnvironment {
    private static final Pattern LIBTORCH = Pattern.compile("/[\\w./+~-]*/libtorch(?:_cpu|_cuda)?\\.so[\\w.]*");
    private static final Set<String> NAMES = Set.of("libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so");

    private final Path root;
    private final Map<String, String> environment;

    /**
     * @param root the file system to look at, {@code /} but in tests
     * @param environment the environment variables
     */
    public HostEnvironment(Path root, Map<String, String> environment) {
        this.root = root;
        this.environment = Map.copyOf(environment);
    }

    /** The container's memory limit in bytes; {@link Long#MAX_VALUE} where there is none. */
    public long memoryLimitBytes() {
        return Stream.of("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
                .map(this::text)
                .map(String::strip)
                .filter(text -> text.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                // cgroup v1 writes "no limit" as a number close to 2^63
                .filter(limit -> limit > 0 && limit < 1L << 60)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** The models of the NVIDIA GPUs that the driver shows; empty without one. */
    public List<String> gpus() {
        List<String> models = new ArrayList<>();
        for (Path gpu : entries("proc/driver/nvidia/gpus")) {
            models.add(text(root.relativize(gpu.resolve("information")).toString())
                    .lines()
                    .filter(line -> line.startsWith("Model:"))
                    .map(line -> line.substring("Model:".length()).strip())
                    .findFirst()
                    .orElse("NVIDIA GPU"));
        }
        if (models.isEmpty()) {
            entries("dev").stream()
                    .filter(device -> device.getFileName().toString().matches("nvidia\\d+"))
                    .forEach(device -> models.add("NVIDIA GPU"));
        }
        return models;
    }

    /** The NVIDIA kernel driver's version; empty without one. */
    public String driver() {
        Matcher version =
                Pattern.compile("\\s(\\d{3,}\\.\\d+(?:\\.\\d+)?)\\s").matcher(text("proc/driver/nvidia/version"));
        return version.find() ? version.group(1) : "";
    }

    /** Whether the driver's user-space library can be found: without it no CUDA program starts, driver or not. */
    public boolean hasLibcuda() {
        return folders().stream().anyMatch(folder -> Files.exists(at(folder).resolve("libcuda.so.1")))
                || loaderCache().contains("/libcuda.so.1");
    }

    /** Copies of libtorch that the dynamic linker could find before or beside ours. */
    public Set<String> foreignLibtorch() {
        Set<String> found = new TreeSet<>();
        for (String folder : folders()) {
            for (String name : NAMES) {
                if (Files.exists(at(folder).resolve(name))) {
                    found.add(folder + "/" + name);
                }
            }
        }
        Matcher cached = LIBTORCH.matcher(loaderCache());
        while (cached.find()) {
            found.add(cached.group());
        }
        return found;
    }

    /** The foreign copies that come first, through {@code LD_LIBRARY_PATH} or {@code LD_PRELOAD}. */
    public Set<String> forcedLibtorch() {
        Set<String> forced = new TreeSet<>(foreignLibtorch());
        List<String> first = split(environment.getOrDefault("LD_LIBRARY_PATH", ""));
        forced.removeIf(copy -> first.stream().noneMatch(folder -> copy.startsWith(folder + "/")));
        split(environment.getOrDefault("LD_PRELOAD", "").replace(' ', ':')).stream()
                .filter(library -> library.contains("libtorch"))
                .forEach(forced::add);
        return forced;
    }

    private List<String> folders() {
        List<String> folders = new ArrayList<>(split(environment.getOrDefault("LD_LIBRARY_PATH", "")));
        folders.addAll(split(System.getProperty("java.library.path", "")));
        folders.addAll(List.of("/usr/local/lib", "/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu"));
        return folders.stream().distinct().toList();
    }

    private String loaderCache() {
        try {
            return Files.readString(at("/etc/ld.so.cache"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private Path at(String absolute) {
        return root.resolve(absolute.replaceFirst("^/+", ""));
    }

    private List<Path> entries(String folder) {
        try (Stream<Path> entries = Files.list(root.resolve(folder))) {
            return entries.sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private String text(String file) {
        try {
            return Files.readString(root.resolve(file));
        } catch (IOException e) {
            return "";
        }
    }

    private static List<String> split(String path) {
        return Stream.of(path.split(":"))
                .filter(folder -> !folder.isBlank())
                .map(folder -> folder.length() > 1 ? folder.replaceAll("/+$", "") : folder)
                .toList();
    }
}
