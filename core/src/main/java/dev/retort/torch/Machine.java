package dev.retort.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What the machine is, read from the operating system without loading libtorch.
 *
 * @param cpu the CPU's name
 * @param flags its instruction-set flags; empty where the system does not tell
 * @param cores processors this process may use
 * @param memoryBytes memory of the machine, 0 where unknown
 */
public record Machine(String cpu, Set<String> flags, int cores, long memoryBytes) {
    /** This machine. */
    public static Machine here() {
        String cpu = System.getProperty("os.arch");
        Set<String> flags = Set.of();
        for (String line : lines("/proc/cpuinfo")) {
            String value = line.substring(line.indexOf(':') + 1).strip();
            if (line.startsWith("model name")) {
                cpu = value;
            } else if (line.startsWith("flags")) {
                flags = Set.of(value.split(" "));
                break;
            }
        }
        long memory = 0;
        for (String line : lines("/proc/meminfo")) {
            if (line.startsWith("MemTotal:")) {
                memory = 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return new Machine(cpu, flags, Runtime.getRuntime().availableProcessors(), memory);
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
