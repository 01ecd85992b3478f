package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.error.RetortException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts of libtorch in processes of their own: an empty cache, a foreign libtorch, a damaged or missing folder. */
class NativeStartTest {
    /** What a system's own libtorch would bring. */
    private static final List<String> FOREIGN =
            List.of("libtorch.so", "libtorch_cpu.so", "libc10.so", "libtorch_global_deps.so");

    @TempDir
    Path temp;

    /** Loads libtorch and multiplies; prints the sum, or the one sentence of a failure. */
    public static void main(String[] arguments) {
        try (Scope scope = Scope.open()) {
            System.out.println("sum "
                    + Tensors.scalar(Ops.matmul(Tensors.full(2, Device.CPU, 8, 8), Tensors.full(3, Device.CPU, 8, 8))
                            .sum()));
        } catch (RetortException e) {
            System.out.println(e.kind() + " " + e.getMessage());
        }
    }

    @Test
    void two_first_starts_at_once_beside_a_foreign_libtorch_succeed_and_a_damaged_cache_is_named() throws Exception {
        Path foreign = Files.createDirectory(temp.resolve("foreign"));
        // A valid library under libtorch's names, without any of its symbols: whoever binds it fails at once.
        Path other = Path.of(System.getProperty("java.home"), "lib", "libjimage.so");
        for (String name : FOREIGN) {
            Files.copy(other, foreign.resolve(name));
        }
        Path cache = temp.resolve("cache");
        try (Child first = start(cache, foreign);
                Child second = start(cache, foreign)) {
            assertThat(first.finish()).contains("sum 3072.0");
            assertThat(second.finish()).contains("sum 3072.0");
        }
        Path damaged;
        try (var files = Files.walk(cache)) {
            damaged =
                    files.filter(file -> file.endsWith("libc10.so")).findFirst().orElseThrow();
        }
        // Same size and date, so it is taken for whole until the linker sees it.
        FileTime time = Files.getLastModifiedTime(damaged);
        try (RandomAccessFile file = new RandomAccessFile(damaged.toFile(), "rw")) {
            file.write(new byte[4096]);
        }
        Files.setLastModifiedTime(damaged, time);
        try (Child third = start(cache, foreign)) {
            assertThat(sentence(third))
                    .startsWith("ENVIRONMENT libtorch could not be loaded")
                    .contains(cache.toString());
        }
        // Cut short, it is unpacked again.
        try (RandomAccessFile file = new RandomAccessFile(damaged.toFile(), "rw")) {
            file.setLength(1000);
        }
        try (Child fourth = start(cache, foreign)) {
            assertThat(fourth.finish()).contains("sum 3072.0");
        }
        delete(cache);
    }

    /** Half a gigabyte, with links that lead out of the folder. */
    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void without_a_folder_to_unpack_into_one_sentence_says_what_to_do() throws Exception {
        Path file = Files.createFile(temp.resolve("file"));
        try (Child child = Child.start(
                NativeStartTest.class,
                List.of(
                        "-Dorg.bytedeco.javacpp.cachedir=" + file.resolve("cache"),
                        "-Duser.home=" + file,
                        "-Djava.io.tmpdir=" + file),
                Map.of())) {
            assertThat(sentence(child)).startsWith("ENVIRONMENT ").contains("-Dorg.bytedeco.javacpp.cachedir");
        }
    }

    @Test
    void a_disk_too_full_to_unpack_is_said_in_one_sentence() throws Exception {
        Path cache = temp.resolve("small");
        // No file may exceed 2048 blocks.
        try (Child child = Child.limited(
                "ulimit -f 2048",
                NativeStartTest.class,
                List.of("-XX:-UsePerfData", "-Dorg.bytedeco.javacpp.cachedir=" + cache))) {
            assertThat(sentence(child))
                    .startsWith("ENVIRONMENT the native libraries could not be unpacked into " + cache)
                    .contains("free 1 GB");
        }
    }

    private static Child start(Path cache, Path foreign) throws Exception {
        return Child.start(
                NativeStartTest.class,
                List.of("-Dorg.bytedeco.javacpp.cachedir=" + cache),
                Map.of("LD_LIBRARY_PATH", foreign.toString()));
    }

    /** The last line; the JVM itself may warn of a damaged library before. */
    private static String sentence(Child child) throws Exception {
        List<String> lines = child.finish();
        assertThat(lines).as("no stack trace").noneMatch(line -> line.startsWith("\tat "));
        return lines.get(lines.size() - 1);
    }
}
