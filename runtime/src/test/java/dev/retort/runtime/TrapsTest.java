package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.retort.Child;
import dev.retort.graph.Shape;
import dev.retort.io.Dtype;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxOp;
import dev.retort.onnx.OnnxWriter;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What ONNX Runtime does to a Java process if one lets it. Beside the traps below:
 *
 * <ul>
 *   <li>tensors and results left open, growth by reloading, free dimensions, two OpenMP libraries: {@link LeakTest}, {@link BatchTest};
 *   <li>virtual threads pinned by native calls: {@link StudentServiceTest};
 *   <li>memory beyond {@code -Xmx} by one request: {@link BadInputTest};
 *   <li>two builds of ONNX Runtime on one class path: whose comes first is not ours to see; docs/runtime.md says so.
 * </ul>
 */
@EnabledOnOs(OS.LINUX)
class TrapsTest {
    private static final List<String> LIBRARIES = List.of("libonnxruntime.so", "libonnxruntime4j_jni.so");

    @TempDir
    private Path folder;

    private static List<String> run(List<String> jvm, String what, Path file) throws Exception {
        try (Child child = Child.start(TrapProbe.class, jvm, Map.of(), what, file.toString())) {
            return child.finish();
        }
    }

    @Test
    void weights_of_sixty_megabytes_do_not_pass_through_a_heap_of_twenty() throws Exception {
        double[] rows = new double[4 * TestStudents.SIZE];
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String row = builder.input("row", Dtype.I64, Shape.ofSamples());
        long[] large = {rows.length * 1000L, TestStudents.SIZE};
        String table = builder.initializer("table", Dtype.F32, large, out -> {
            ByteBuffer zeros = ByteBuffer.allocate(TestStudents.SIZE * Float.BYTES);
            for (long i = 0; i < large[0]; i++) {
                zeros.rewind();
                out.write(zeros);
            }
        });
        String one = builder.add(OnnxOp.RESHAPE, builder.add(OnnxOp.GATHER, table, row), builder.wholes(-1, 1, 8, 8));
        builder.output("output", Dtype.F32, Shape.ofSamples(1, 8, 8), builder.add(OnnxOp.ADD, x, one));
        Map<String, String> metadata = new LinkedHashMap<>(TestStudents.metadata("network", 1, TestStudents.plan(1)));
        metadata.put("retort.rows", "times 1.0\nlabels 0 1 2 3\n");
        Path file = folder.resolve("large.onnx");
        OnnxWriter.write(file, builder.model(metadata), OnnxWriter.MOST_INSIDE);
        assertThat(Files.size(file)).isGreaterThan(60_000_000);
        assertThat(run(List.of("-Xms20m", "-Xmx20m"), "open", file)).containsExactly("drawn 1");
    }

    @Test
    void a_long_command_line_which_onnx_runtime_reads_does_not_end_the_process() throws Exception {
        String option = "-Dlong=" + "a".repeat(50_000);
        assertThat(run(List.of(option), "open", TestStudents.usual(folder))).containsExactly("drawn 1");
    }

    @Test
    void opening_leaves_the_arithmetic_of_the_thread_that_asks_as_it_was() throws Exception {
        assertThat(run(List.of(), "denormal", TestStudents.usual(folder))).containsExactly("1.4E-45");
    }

    @Test
    void threads_are_those_that_the_jvm_sees_and_idle_ones_rest() throws Exception {
        Path file = TestStudents.usual(folder);
        List<String> said = run(List.of("-XX:ActiveProcessorCount=1", "-Xint"), "threads", file);
        assertThat(said.subList(0, 3)).containsExactly("one 0", "three 2", "workers 1");
        assertThat(Integer.parseInt(said.get(3).substring("idle ".length())))
                .as("percent of a core")
                .isLessThan(20);
    }

    @Test
    void an_environment_that_somebody_else_made_first_changes_nothing() throws Exception {
        assertThat(run(List.of(), "environment", TestStudents.usual(folder))).containsExactly("drawn 1");
    }

    @Test
    void a_read_only_container_is_told_how_to_unpack_the_libraries_beforehand() throws Exception {
        Path file = TestStudents.usual(folder);
        assertThat(run(List.of("-Djava.io.tmpdir=" + folder.resolve("nowhere")), "open", file))
                .singleElement()
                .asString()
                .startsWith("RUNTIME ONNX Runtime's libraries cannot be loaded")
                .contains("-Donnxruntime.native.path", "musl");
        String system = System.getProperty("os.arch").equals("amd64") ? "linux-x64" : "linux-aarch64";
        for (String library : LIBRARIES) {
            try (InputStream in =
                    OrtEnvironment.class.getResourceAsStream("/ai/onnxruntime/native/" + system + "/" + library)) {
                Files.copy(in, folder.resolve(library));
            }
        }
        String[] open = {"open", file.toString()};
        String small = "ulimit -f 1000"; // no file of more than a megabyte or half of one: nothing can be unpacked
        try (Child child = Child.limited(small, TrapProbe.class, List.of(), open)) {
            assertThat(child.finish()).last().asString().startsWith("RUNTIME ONNX Runtime's libraries");
        }
        try (Child child =
                Child.limited(small, TrapProbe.class, List.of("-Donnxruntime.native.path=" + folder), open)) {
            assertThat(child.finish()).containsExactly("drawn 1");
        }
    }

    /** The calling thread keeps Java's arithmetic: ONNX Runtime sets the mode of its own threads alone. */
    @Test
    void denormals_are_flushed_on_the_threads_of_a_session() throws OrtException {
        int side = 1024;
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, side, side));
        builder.input("time", Dtype.F32, Shape.ofSamples());
        String small = builder.add(OnnxOp.MUL, builder.add(OnnxOp.MUL, x, builder.number(1e-38)), builder.number(1e-3));
        builder.output(
                "output",
                Dtype.F32,
                Shape.ofSamples(1, side, side),
                builder.add(OnnxOp.MUL, small, builder.number(1e30)));
        Map<String, String> metadata = new LinkedHashMap<>(TestStudents.metadata("network", 1, TestStudents.plan(1)));
        metadata.put("retort.values", "1 " + side + " " + side);
        Path file = folder.resolve("denormal.onnx");
        OnnxWriter.write(file, builder.model(metadata), OnnxWriter.MOST_INSIDE);
        assertThat(flushed(file, 1, side * side)).isZero();
        assertThat(flushed(file, 2, side * side)).isPositive();
    }

    private static int flushed(Path file, int threads, int size) throws OrtException {
        LoadedModel model = LoadedModel.open(file, threads, false);
        float[] values = new float[size];
        int zeros = 0;
        try (Lane lane = new Lane(model, 1)) {
            for (int tries = 0; tries < 20 && zeros == 0; tries++) { // the caller may be quick enough to do it all
                Arrays.fill(values, 1);
                lane.set("x", values);
                lane.run(values);
                for (float value : values) {
                    zeros += value == 0 ? 1 : 0;
                }
            }
        }
        model.release();
        return zeros;
    }

    @Test
    void a_library_that_cannot_be_loaded_names_its_cause() {
        StudentException failure = LoadFailure.ofLibrary(
                new ExceptionInInitializerError(new IllegalStateException("libstdc++.so.6: no such file")));
        assertThat(failure).hasMessageContaining("libstdc++.so.6: no such file").hasMessageContaining("Alpine");
        assertThat(failure.kind()).isEqualTo(StudentException.Kind.RUNTIME);
    }
}
