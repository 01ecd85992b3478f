package dev.retort.cli.doctor;

import dev.retort.torch.Machine;
import dev.retort.torch.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The checks that need no native library; each is a pure function of what was found. */
public final class Checks {
    private static final long GIB = 1L << 30;

    private Checks() {}

    /** The Java version: 17 is the least. */
    public static Check java(int feature, String version, String vendor) {
        String found = version + " (" + vendor + ")";
        return feature < 17
                ? Check.bad("Java", found, "install a JDK of version 17 or later and set JAVA_HOME to it")
                : Check.good("Java", found);
    }

    /** The platform: the native libraries come for Linux on x86-64 only. */
    public static Check platform(String os, String arch) {
        boolean supported = os.equals("Linux") && (arch.equals("amd64") || arch.equals("x86_64"));
        return supported
                ? Check.good("System", os + ", " + arch)
                : Check.bad("System", os + ", " + arch, "run it on Linux on x86-64, also in a container or WSL 2");
    }

    /** The charset of the locale, in which file names are read. */
    public static Check fileNames(String charset, boolean everyLetter) {
        return everyLetter
                ? Check.good("File names", charset)
                : Check.warning(
                        "File names",
                        charset + ": names with other letters cannot be read",
                        "set LANG=C.UTF-8 and unset LC_ALL");
    }

    /** What the CPU multiplies fast. */
    public static Check cpu(Machine machine) {
        List<String> has = new ArrayList<>();
        for (String flag : List.of("avx2", "avx512f", "avx512_bf16", "amx_bf16")) {
            if (machine.hasFlag(flag)) {
                has.add(flag);
            }
        }
        String found = machine.cpu() + ", " + machine.cores() + (machine.cores() == 1 ? " core" : " cores");
        if (machine.flags().isEmpty()) {
            return Check.warning("CPU", found + ", instruction sets unknown", "mount /proc so that they can be read");
        }
        String sets = has.isEmpty() ? "no AVX2" : String.join(" ", has);
        if (!machine.hasFlag("avx2")) {
            return Check.warning(
                    "CPU", found + ", " + sets, "expect it to be slow; a CPU with AVX2 (2013 on) is 4 times faster");
        }
        boolean bf16 = machine.hasFlag("avx512_bf16") || machine.hasFlag("amx_bf16");
        return Check.good("CPU", found + ", " + sets + (bf16 ? ": bf16 pays" : ": fp32 is fastest"));
    }

    /**
     * Which BLAS computes, and whether MKL would be worth its licence: where there is AVX-512, products are oneDNN's; on
     * AVX2 alone MKL makes small products twice as fast as OpenBLAS and large ones a tenth slower.
     */
    public static String blas(Machine machine, String blas) {
        boolean gains = machine.hasFlag("avx2") && !machine.hasFlag("avx512f") && blas.equals("OpenBLAS");
        return blas
                + (gains
                        ? "; networks of few tokens may train faster with MKL: mkdir -p .mvn; echo -Pmkl > .mvn/maven.config"
                                + " (README: MKL)"
                        : "");
    }

    /** Memory of the machine and of the container around it. */
    public static Check memory(long totalBytes, long availableBytes, long limitBytes) {
        boolean limited = limitBytes < totalBytes;
        long free = Math.min(availableBytes, limitBytes);
        String found = gib(free) + " free of " + gib(Math.min(totalBytes, limitBytes))
                + (limited ? " (limit of the container; the machine has " + gib(totalBytes) + ")" : "");
        if (free >= 2 * GIB) {
            return Check.good("Memory", found);
        }
        return Check.warning(
                "Memory",
                found,
                limited
                        ? "give the container at least 2 GiB (docker run --memory 4g)"
                        : "close other programs: training the small presets wants 2 GiB free");
    }

    /** GPU, driver and the jar that can use them. */
    public static Check gpu(List<String> gpus, String driver, boolean libcuda, boolean cudaJar) {
        if (gpus.isEmpty()) {
            return cudaJar
                    ? Check.warning(
                            "GPU",
                            "none found, but the CUDA build is installed",
                            "install the NVIDIA driver, or start the container with --gpus all")
                    : Check.good("GPU", "none; everything runs on the CPU");
        }
        String found = String.join(", ", gpus) + (driver.isEmpty() ? "" : ", driver " + driver);
        if (!libcuda) {
            return Check.warning(
                    "GPU",
                    found + ", but no libcuda.so.1",
                    "install the NVIDIA driver's libraries, or start the container with the NVIDIA runtime");
        }
        return cudaJar
                ? Check.good("GPU", found)
                : Check.warning(
                        "GPU",
                        found + ", but the CUDA build of libtorch is not on the class path",
                        "mkdir -p .mvn; echo -Pcuda > .mvn/maven.config (README: GPU); until then the CPU is used");
    }

    /**
     * The folder the native libraries are unpacked into.
     *
     * @param mounts of this machine
     * @param loaded whether the libraries could be loaded from it
     */
    public static Check cache(Path folder, Mounts mounts, boolean loaded) {
        Path existing = folder.toAbsolutePath();
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        String fix = "point -Dorg.bytedeco.javacpp.cachedir (in JAVA_TOOL_OPTIONS) at a folder of yours with 1 GB free";
        if (existing == null || !Files.isWritable(existing)) {
            return Check.bad("Cache", folder + " cannot be written", fix);
        }
        if (!loaded && mounts.forbidPrograms(existing)) {
            return Check.bad("Cache", folder + " is mounted noexec: no library may be run from it", fix);
        }
        long free = existing.toFile().getUsableSpace();
        String found = folder + ", " + gib(free) + " free" + (loaded ? "" : ", filled at first use (0.5 GB)");
        return loaded || free >= GIB ? Check.good("Cache", found) : Check.bad("Cache", found, fix);
    }

    /** Other copies of libtorch: harmless beside ours, not before it. */
    public static Check foreignLibtorch(Set<String> found, Set<String> forced) {
        if (!forced.isEmpty()) {
            return Check.warning(
                    "Other libtorch",
                    String.join(", ", forced) + " comes before ours",
                    "take its folder out of LD_LIBRARY_PATH and LD_PRELOAD if the start crashes");
        }
        return Check.good(
                "Other libtorch",
                found.isEmpty() ? "none" : String.join(", ", found) + " (passed over: ours loads first)");
    }

    static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) GIB);
    }
}
