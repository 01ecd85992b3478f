package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The remedy must fit the cause: unpacking anew helps against a damaged library only. */
class LoadFailureTest {
    private static final long ROOM = 5L << 30;

    @TempDir
    private Path folder;

    private static String sentence(String why, boolean forbidden, long free) {
        RetortException failure = LoadFailure.of(new UnsatisfiedLinkError(why), Path.of("/c"), forbidden, free);
        assertThat(failure.kind()).isEqualTo(Kind.ENVIRONMENT);
        return failure.getMessage();
    }

    @Test
    void a_place_that_forbids_to_run_libraries_is_named_with_the_setting_for_another() {
        assertThat(sentence("/c/liba.so: failed to map segment from shared object", true, ROOM))
                .contains("/c, which is mounted noexec", "-Dorg.bytedeco.javacpp.cachedir=FOLDER")
                .doesNotContain("delete");
        assertThat(sentence(
                        "/c/liba.so: failed to map segment from shared object: Operation not permitted", false, ROOM))
                .contains("security policy", "cachedir=FOLDER")
                .doesNotContain("delete");
    }

    @Test
    void a_full_disk_is_named_however_it_shows() {
        for (String why : List.of(
                "No space left on device",
                "/c/libjniopenblas.so: libopenblas.so.0: cannot open shared object file: No such file or directory",
                "/c/libtorch_cpu.so: file too short")) {
            assertThat(sentence(why, false, 10 << 20))
                    .contains("the disk of /c is full (10 MB free)", "free 1 GB there")
                    .doesNotContain("delete");
        }
    }

    @Test
    void a_damaged_library_is_unpacked_again() {
        assertThat(sentence("/c/libtorch_cpu.so: invalid ELF header", false, ROOM))
                .contains("delete /c");
    }

    @Test
    void a_library_that_the_system_lacks_is_named() {
        assertThat(sentence("/c/libc10.so: libstdc++.so.6: cannot open shared object file: No such file", false, ROOM))
                .contains("this system has no libstdc++.so.6; install")
                .doesNotContain("delete");
    }

    @Test
    void the_nearest_mount_decides_and_of_two_at_one_place_the_later() throws IOException {
        Path real = Files.createDirectories(folder.resolve("with blank/x")).toRealPath();
        String blank = real.getParent().toString().replace(" ", "\\040");
        Mounts mounts = new Mounts(List.of(
                "/dev/a / ext4 rw 0 0",
                "t " + blank + " tmpfs rw,noexec 0 0",
                "u " + blank + "/x/exec tmpfs rw,noexec 0 0",
                "v " + blank + "/x/exec tmpfs rw 0 0",
                "damaged"));
        assertThat(mounts.forbidPrograms(real)).isTrue();
        assertThat(mounts.forbidPrograms(real.resolve("not/there/yet"))).isTrue();
        assertThat(mounts.forbidPrograms(real.resolve("exec/y"))).isFalse();
        assertThat(mounts.forbidPrograms(real.getParent().getParent())).isFalse();
        assertThat(new Mounts(List.of()).forbidPrograms(real)).isFalse();
    }

    @Test
    void a_library_of_nvidias_that_is_missing_is_named_with_what_brings_it() {
        assertThat(sentence("libcudart.so.13: cannot open shared object file: No such file or directory", false, ROOM))
                .contains("no libcudart.so.13; install CUDA 13", "LD_LIBRARY_PATH");
        assertThat(sentence("libxyz.so.1: cannot open shared object file: No such file or directory", false, ROOM))
                .contains("install the package that brings it");
    }
}
