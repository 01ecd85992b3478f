package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Native memory stays flat. Traps: unclosed tensors and results, growth by reloading, by free dimensions, and two OpenMP libraries in
 * one process. {@code -Dretort.leak=full} asks 10⁵ times and reloads a hundred times.
 */
@EnabledOnOs(OS.LINUX)
class LeakTest {
    private static final boolean FULL = "full".equals(System.getProperty("retort.leak"));

    /**
     * Kilobytes that may be gained; a tensor left open in each request would be more. In the short run nothing is compiled, as
     * compiled code grows for as long.
     */
    private static final int MOST = FULL ? 16 << 10 : 1 << 10;

    @TempDir
    private Path folder;

    @Test
    void requests_and_reloads_leave_memory_as_it_was() throws Exception {
        Path one = TestStudents.usual(folder);
        Path other = new TestStudents(6)
                .anyTime(folder.resolve("other.onnx"), TestStudents.metadata("network", 2, TestStudents.plan(2)));
        String[] sizes = FULL ? new String[] {"100000", "100"} : new String[] {"1500", "15"};
        try (Child child = Child.start(
                LeakProbe.class,
                FULL ? List.of() : List.of("-Xint"),
                Map.of(),
                one.toString(),
                other.toString(),
                sizes[0],
                sizes[1])) {
            List<String> said = child.finish();
            assertThat(grown(said.get(0))).as(said.get(0)).isLessThan(MOST);
            assertThat(grown(said.get(1))).as(said.get(1)).isLessThan(MOST);
            assertThat(said.get(2)).isEqualTo("openmp false");
        }
    }

    private static long grown(String line) {
        String[] words = line.split(" ");
        return Long.parseLong(words[2]) - Long.parseLong(words[1]);
    }
}
