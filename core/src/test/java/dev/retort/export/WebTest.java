package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.config.CardFile;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An exported file computes the same in a browser's runtime, onnxruntime-web under Node. Needs {@code npm ci} in bench/web, else it is skipped. */
class WebTest {
    private static final int SAMPLES = 3;
    private static final Path WEB = Path.of("..", "bench", "web");

    @TempDir
    Path folder;

    @BeforeAll
    static void needs_node_and_the_package() {
        boolean there = Files.exists(WEB.resolve("node_modules/onnxruntime-web")) && node();
        if (!there) {
            System.err.println("WebTest is skipped: it needs node, and 'npm ci' in bench/web");
        }
        assumeTrue(there, "needs node, and 'npm ci' in bench/web");
    }

    private static boolean node() {
        try {
            return new ProcessBuilder("node", "--version")
                            .redirectErrorStream(true)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "fashion-few, false, F32",
        "fashion-few, true, F32",
        "fashion-few, true, F16",
        "fashion-student, false, F32"
    })
    void it_computes_the_same_under_node(String name, boolean unrolled, Dtype matrices) throws Exception {
        Path model = Path.of("..", "zoo", name);
        Path file = folder.resolve("out.onnx");
        new OnnxExport(OnnxExport.ways(ModelFiles.card(model)), unrolled, matrices, OnnxWriter.MOST_INSIDE)
                .write(model, file);
        Map<String, Object> inputs = new LinkedHashMap<>();
        Map<String, Object> told = new LinkedHashMap<>();
        for (OnnxFile.Signature input : OnnxFile.read(file).inputs()) {
            long[] dims = input.shape().stream()
                    .mapToLong(size -> size.equals("N") ? SAMPLES : Long.parseLong(size))
                    .toArray();
            int count = Math.toIntExact(Arrays.stream(dims).reduce(1, (a, b) -> a * b));
            boolean whole = input.type().equals("I64");
            Object values = whole ? LongStream.range(0, count).toArray() : noise(count);
            inputs.put(input.name(), values);
            told.put(input.name(), Map.of("type", whole ? "int64" : "float32", "dims", dims, "data", values));
        }
        Map.Entry<String, float[]> output;
        try (OnnxSession session = OnnxSession.open(file)) {
            output = session.run(inputs).entrySet().iterator().next();
        }
        Path given = folder.resolve("case.json");
        Files.writeString(
                given, CardFile.text(Map.of("inputs", told, "output", output.getKey(), "expected", output.getValue())));
        Process node = new ProcessBuilder("node", "check.mjs", file.toString(), given.toString())
                .directory(WEB.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(node.waitFor()).as(said).isZero();
        assertThat(Double.parseDouble(said)).isLessThan(1e-3);
    }

    private static float[] noise(int count) {
        float[] values = new float[count];
        Rng.at(3, Purpose.SAMPLE_START, 0, 0).fillGaussian(values);
        return values;
    }
}
