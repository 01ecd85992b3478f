package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchModelCommandTest {
    private static final List<String> FORMS =
            List.of("fp32", "bf16", "int8-static", "int8-dynamic", "w4", "fp32", "int8-static", "int8-dynamic", "w4");

    @TempDir
    private Path folder;

    private String model;

    @BeforeEach
    void save() {
        model = TinyModel.trained(folder.resolve("tiny")).toString();
    }

    @Test
    void every_form_and_engine_is_a_row_and_what_cannot_be_made_says_why() throws Exception {
        String data = CompareCommandTest.pictures(folder.resolve("pictures")).toString();
        String[] words = {"--data", data, "--extractor", "pixels,random", "--samples", "70", "--rounds", "0", "--json"};
        String[] command = new String[words.length + 2];
        command[0] = "bench-model";
        command[1] = model;
        System.arraycopy(words, 0, command, 2, words.length);
        JsonNode result = new JsonMapper().readTree(Ran.retort(command).good().out());
        assertThat(result.get("instructionSet").asString()).startsWith("libtorch, ");
        JsonNode rows = result.at("/models/0/rows");
        assertThat(rows).extracting(row -> row.get("name").asString()).containsExactlyElementsOf(FORMS);
        assertThat(rows.get(0).get("error").asDouble()).isZero();
        assertThat(rows.get(5).get("engine").asString()).isEqualTo("onnx-runtime");
        assertThat(rows.get(5).get("error").asDouble()).isLessThan(5e-3);
        assertThat(result.at("/floor/FD-RandomConv@70").asDouble()).isPositive();
        assertThat(result.get("floor")).hasSize(2);
        double full = rows.at("/0/distances/FD-RandomConv@70").asDouble();
        for (JsonNode row : rows) {
            if (row.get("why").isNull()) {
                assertThat(row.get("bytes").asLong()).isPositive();
                assertThat(row.get("error").asDouble()).isBetween(0.0, 0.5);
                assertThat(row.at("/distances/FD-RandomConv@70").asDouble()).isBetween(full / 2, full * 2);
                assertThat(row.at("/distances/FD-PixelPCA64@70").asDouble()).isPositive();
            } else {
                assertThat(row.get("why").asString()).isNotBlank();
            }
        }
    }

    @Test
    void the_table_has_a_line_for_each_form_and_says_what_computed() {
        Ran ran = Ran.retort("bench-model", model, "--samples", "0", "--rounds", "0")
                .good();
        assertThat(ran.out())
                .containsPattern("(?m)^fp32 +libtorch .* 0\\.00 % +equal$")
                .containsPattern("(?m)^fp32 +ONNX Runtime ")
                .containsPattern("(?m)^w4 in ONNX Runtime: .+$")
                .contains("Computed by libtorch, ", "Speed was not measured");
    }

    @Test
    void what_cannot_be_measured_is_refused() throws Exception {
        String data = CompareCommandTest.pictures(folder.resolve("pictures")).toString();
        Ran.retort("bench-model", model, "--budget", "-1").refused(2, "--budget -1.0 is not a share");
        Ran.retort("bench-model", model, "--data", data, "--samples", "5")
                .refused(2, "5 samples are too few", "(option --samples)");
        String small = folder.resolve("small").toString();
        Ran.retort("quantize", model, "w8", "--out", small, "--set", "calibration.samples=2")
                .good();
        Ran.retort("bench-model", small, "--samples", "0")
                .refused(7, "is quantised", "give the model that it was quantised from");
        String theirs = folder.resolve("theirs").toString();
        Ran.retort("convert", TinyModel.ddpm(folder.resolve("square")).toString(), theirs, "--to", "diffusers")
                .good();
        Ran.retort("bench-model", theirs, "--samples", "0").refused(2, "is another program's", "retort convert");
    }
}
