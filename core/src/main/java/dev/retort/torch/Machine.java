package dev.retort.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the machine is, read from the operating system without loading libtorch.
 *
 * @param cpu the CPU's name
 * @param flags its instruction-set flags; empty where the system does not tell
 * @param cores physical cores this process may use: no more than its CPU set and its container's quota allow
 * @param memoryBytes memory of the machine, 0 where unknown
 */
public record Machine(String cpu, Set<String> flags, int cores, long memoryBytes) {
    /** This machine. */
    public static Machine here() {
        Machine all = of(
                lines("/proc/cpuinfo"),
                lines("/proc/meminfo"),
                lines("/proc/self/status"),
                Runtime.getRuntime().availableProcessors());
        return all.cappedTo(System.getenv("ONEDNN_MAX_CPU_ISA"));
    }

    /** What oneDNN may not use is as good as not there. */
    Machine cappedTo(String isa) {
        if (isa == null || !isa.toUpperCase(Locale.ROOT).startsWith("AVX2")) {
            return this;
        }
        Set<String> left = flags.stream()
                .filter(flag -> !flag.startsWith("avx512") && !flag.startsWith("amx"))
                .collect(Collectors.toUnmodifiableSet());
        return new Machine(cpu, left, cores, memoryBytes);
    }

    /** From what the kernel tells, and the number of processors that the JVM grants (it knows containers' quotas). */
    static Machine of(List<String> cpuinfo, List<String> meminfo, List<String> status, int processors) {
        String cpu = System.getProperty("os.arch");
        Set<String> flags = Set.of();
        for (String line : cpuinfo) {
            if (line.startsWith("model name")) {
                cpu = value(line);
            } else if (line.startsWith("flags")) {
                flags = words(value(line));
                break;
            }
        }
        long memory = 0;
        for (String line : meminfo) {
            if (line.startsWith("MemTotal:")) {
                memory = 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return new Machine(cpu, flags, cores(cpuinfo, allowed(status), processors), memory);
    }

    /**
     * Two hardware threads of one core share its multipliers, so products gain nothing from the second: counted is each
     * core once of which a processor is allowed. Without a topology every processor counts.
     */
    private static int cores(List<String> cpuinfo, Set<Integer> allowed, int processors) {
        Set<String> cores = new HashSet<>();
        int processor = -1;
        String socket = "";
        for (String line : cpuinfo) {
            if (line.startsWith("processor")) {
                processor = Integer.parseInt(value(line));
            } else if (line.startsWith("physical id")) {
                socket = value(line);
            } else if (line.startsWith("core id") && (allowed.isEmpty() || allowed.contains(processor))) {
                cores.add(socket + "." + value(line));
            }
        }
        return cores.isEmpty() ? processors : Math.min(cores.size(), processors);
    }

    /** The processors of {@code Cpus_allowed_list: 0-3,8}; empty where the kernel does not tell. */
    private static Set<Integer> allowed(List<String> status) {
        Set<Integer> allowed = new HashSet<>();
        for (String line : status) {
            if (line.startsWith("Cpus_allowed_list:")) {
                for (String range : value(line).split(",")) {
                    String[] ends = range.split("-");
                    for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                        allowed.add(i);
                    }
                }
            }
        }
        return allowed;
    }

    private static String value(String line) {
        return line.substring(line.indexOf(':') + 1).strip();
    }

    /** The kernel may put several spaces between two flags, and a hypervisor repeat one. */
    private static Set<String> words(String line) {
        return Set.copyOf(Arrays.asList(line.split("\\s+")));
    }

    /** Whether the CPU has an instruction set, by the kernel's name for it. */
    public boolean hasFlag(String flag) {
        return flags.contains(flag);
    }

    /** Resident memory of this process in bytes, 0 where the system does not tell. */
    public static long residentBytes() {
        return statusBytes("VmRSS:");
    }

    /** Highest resident memory this process has had, in bytes, 0 where the system does not tell. */
    public static long peakResidentBytes() {
        return statusBytes("VmHWM:");
    }

    /** Memory the system could still hand out, in bytes; {@link Long#MAX_VALUE} where unknown. */
    public static long availableBytes() {
        for (String line : lines("/proc/meminfo")) {
            if (line.startsWith("MemAvailable:")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return Long.MAX_VALUE;
    }

    private static long statusBytes(String key) {
        for (String line : lines("/proc/self/status")) {
            if (line.startsWith(key)) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return 0;
    }

    private static List<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            return List.of();
        }
    }
}
