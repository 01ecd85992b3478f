package dev.retort.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.cli.doctor.Check.State;
import dev.retort.torch.Machine;
import dev.retort.torch.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChecksTest {
    private static final long GIB = 1L << 30;

    @TempDir
    private Path root;

    @Test
    void an_old_java_and_another_platform_are_bad() {
        assertThat(Checks.java(11, "11.0.2", "X").state()).isEqualTo(State.BAD);
        assertThat(Checks.java(17, "17.0.15", "X").state()).isEqualTo(State.GOOD);
        assertThat(Checks.platform("Windows 11", "amd64").state()).isEqualTo(State.BAD);
        assertThat(Checks.platform("Linux", "aarch64").state()).isEqualTo(State.BAD);
        assertThat(Checks.platform("Linux", "amd64").state()).isEqualTo(State.GOOD);
    }

    @Test
    void the_instruction_sets_decide_what_is_said_of_the_cpu() {
        assertThat(Checks.cpu(new Machine("C", Set.of("sse2"), 1, 0)).state()).isEqualTo(State.WARNING);
        assertThat(Checks.cpu(new Machine("C", Set.of("avx2"), 1, 0)).found())
                .isEqualTo("C, 1 core, avx2: fp32 is fastest");
        assertThat(Checks.cpu(new Machine("C", Set.of("avx2", "avx512f", "amx_bf16"), 2, 0))
                        .found())
                .isEqualTo("C, 2 cores, avx2 avx512f amx_bf16: bf16 pays");
    }

    @Test
    void mkl_is_advised_where_it_gains_something_and_is_not_there() {
        Machine avx2 = new Machine("C", Set.of("avx2"), 2, 0);
        assertThat(Checks.blas(avx2, "OpenBLAS")).startsWith("OpenBLAS; ").contains("MKL: ", "-Pmkl", "README");
        assertThat(Checks.blas(avx2, "MKL")).isEqualTo("MKL");
        assertThat(Checks.blas(new Machine("C", Set.of("avx2", "avx512f"), 2, 0), "OpenBLAS"))
                .isEqualTo("OpenBLAS");
        assertThat(Checks.blas(new Machine("C", Set.of("sse2"), 2, 0), "OpenBLAS"))
                .isEqualTo("OpenBLAS");
    }

    @Test
    void the_containers_limit_counts_not_the_machines_memory() {
        Check tight = Checks.memory(64 * GIB, 60 * GIB, GIB);
        assertThat(tight.state()).isEqualTo(State.WARNING);
        assertThat(tight.found())
                .isEqualTo("1.0 GiB free of 1.0 GiB (limit of the container; the machine has 64.0 GiB)");
        assertThat(Checks.memory(64 * GIB, 60 * GIB, Long.MAX_VALUE).state()).isEqualTo(State.GOOD);
    }

    @Test
    void container_limits_are_read_from_both_kinds_of_cgroup() throws Exception {
        assertThat(here(Map.of()).memoryLimitBytes()).isEqualTo(Long.MAX_VALUE);
        write("sys/fs/cgroup/memory.max", "max\n");
        assertThat(here(Map.of()).memoryLimitBytes()).isEqualTo(Long.MAX_VALUE);
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertThat(here(Map.of()).memoryLimitBytes()).isEqualTo(Long.MAX_VALUE);
        write("sys/fs/cgroup/memory.max", "2147483648\n");
        assertThat(here(Map.of()).memoryLimitBytes()).isEqualTo(2 * GIB);
    }

    @Test
    void a_gpu_needs_its_driver_its_library_and_our_cuda_build() throws Exception {
        assertThat(Checks.gpu(List.of(), "", false, false).state()).isEqualTo(State.GOOD);
        assertThat(Checks.gpu(List.of("H100"), "580.1", false, true).found()).contains("no libcuda.so.1");
        assertThat(Checks.gpu(List.of("H100"), "580.1", true, false).found()).contains("CUDA build");
        assertThat(Checks.gpu(List.of("H100"), "580.1", true, true)).isEqualTo(Check.good("GPU", "H100, driver 580.1"));

        write("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n");
        write(
                "proc/driver/nvidia/version",
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 1 2026\n");
        write("usr/lib/x86_64-linux-gnu/libcuda.so.1", "");
        assertThat(here(Map.of()).gpus()).containsExactly("NVIDIA H100 80GB HBM3");
        assertThat(here(Map.of()).driver()).isEqualTo("580.95.05");
        assertThat(here(Map.of()).hasLibcuda()).isTrue();
    }

    @Test
    void a_system_libtorch_is_named_and_only_one_that_comes_first_is_a_warning() throws Exception {
        write("usr/lib/x86_64-linux-gnu/libtorch_cpu.so", "");
        write("etc/ld.so.cache", "glibc-ld.so.cache1.1\0libtorch.so.1.13\0/opt/torch/lib/libtorch.so.1.13\0");
        HostEnvironment beside = here(Map.of());
        assertThat(beside.foreignLibtorch())
                .contains("/opt/torch/lib/libtorch.so.1.13", "/usr/lib/x86_64-linux-gnu/libtorch_cpu.so");
        assertThat(beside.forcedLibtorch()).isEmpty();
        assertThat(Checks.foreignLibtorch(beside.foreignLibtorch(), beside.forcedLibtorch())
                        .state())
                .isEqualTo(State.GOOD);

        HostEnvironment before = here(Map.of("LD_LIBRARY_PATH", "/opt/torch/lib/:/x"));
        assertThat(before.forcedLibtorch()).containsExactly("/opt/torch/lib/libtorch.so.1.13");
        assertThat(Checks.foreignLibtorch(before.foreignLibtorch(), before.forcedLibtorch())
                        .fix())
                .contains("LD_LIBRARY_PATH");
    }

    @Test
    void a_cache_folder_that_cannot_be_written_is_bad() {
        Mounts none = new Mounts(List.of());
        assertThat(Checks.cache(root.resolve("new/cache"), none, true).state()).isEqualTo(State.GOOD);
        assertThat(Checks.cache(Path.of("/proc/none"), none, false).state()).isEqualTo(State.BAD);
    }

    @Test
    void a_cache_folder_from_which_no_library_may_be_run_is_bad_and_another_place_is_its_fix() throws Exception {
        Mounts mounts = new Mounts(List.of("tmpfs " + root.toRealPath() + " tmpfs rw,nosuid,noexec 0 0"));
        Check check = Checks.cache(root.resolve("cache"), mounts, false);
        assertThat(check.state()).isEqualTo(State.BAD);
        assertThat(check.found()).contains("mounted noexec");
        assertThat(check.fix()).contains("-Dorg.bytedeco.javacpp.cachedir").doesNotContain("delete");
    }

    @Test
    void a_locale_without_every_letter_is_a_warning() {
        assertThat(Checks.fileNames("UTF-8", true).state()).isEqualTo(State.GOOD);
        assertThat(Checks.fileNames("US-ASCII", false).fix()).contains("LANG=C.UTF-8");
    }

    private HostEnvironment here(Map<String, String> environment) {
        return new HostEnvironment(root, environment);
    }

    private void write(String file, String text) throws Exception {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
