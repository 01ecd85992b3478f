package dev.retort.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What Java and Linux say of the processor.
 *
 * @param arch as Java calls it, such as amd64
 * @param known whether Linux says anything
 * @param cores of the host, 0 where unknown
 * @param features that it names: those of x86 as {@code flags}, those of ARM as {@code Features}
 */
record Cpu(String arch, boolean known, int cores, Set<String> features) {
    /** Of this machine. */
    static Cpu current() {
        String arch = System.getProperty("os.arch");
        try {
            return parse(arch, Files.readAllLines(Paths.get("/proc/cpuinfo"), StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return parse(arch, List.of()); // not Linux, or hidden
        }
    }

    static Cpu parse(String arch, List<String> lines) {
        Set<String> cores = new HashSet<>();
        Set<String> features = new HashSet<>();
        String socket = "";
        for (String line : lines) {
            int colon = line.indexOf(':');
            String key = line.substring(0, Math.max(colon, 0)).strip();
            String value = line.substring(colon + 1).strip();
            if (key.equals("physical id")) {
                socket = value;
            } else if (key.equals("core id")) {
                cores.add(socket + "/" + value);
            } else if (key.equals("flags") || key.equals("Features")) {
                features.addAll(Arrays.asList(value.split("\\s+")));
            }
        }
        return new Cpu(arch, !features.isEmpty(), cores.size(), features);
    }

    /** Whether sums of products of 8 bits are exact: VNNI of x86, always on ARM, which has no such instruction that saturates. */
    boolean exactEightBits() {
        return arch.equals("aarch64")
                || features.contains("avx512_vnni")
                || features.contains("avx_vnni")
                || features.contains("asimd");
    }

    /**
     * How many threads compute quickest: as many as the process may use, but one per core, as two on a core share its
     * arithmetic.
     *
     * @param available as the JVM counts them, which knows a container's limits
     */
    int threads(int available) {
        return cores == 0 ? available : Math.min(available, cores);
    }
}
