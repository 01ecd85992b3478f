package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaLibrariesTest {
    @TempDir
    Path temp;

    @Test
    void the_first_folder_that_has_a_library_gives_it() throws Exception {
        Path first = Files.createDirectory(temp.resolve("first"));
        Path second = Files.createDirectory(temp.resolve("second"));
        Files.createFile(second.resolve("libcudnn.so.9"));
        List<String> folders = List.of("", first.toString(), second.toString());
        assertThat(Cuda.find("libcudnn.so.9", folders)).contains(second.resolve("libcudnn.so.9"));
        assertThat(Cuda.find("libcudart.so.13", folders)).isEmpty();
        Files.createFile(first.resolve("libcudnn.so.9"));
        assertThat(Cuda.find("libcudnn.so.9", folders)).contains(first.resolve("libcudnn.so.9"));
    }

    @Test
    void a_version_of_cudnn_is_written_as_its_makers_do() {
        assertThat(Cuda.version(91900)).isEqualTo("9.19.0");
        assertThat(Cuda.version(91402)).isEqualTo("9.14.2");
    }
}
