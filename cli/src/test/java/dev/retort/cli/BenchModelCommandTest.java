package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchModelCommandTest {
    @TempDir
    private Path folder;

    @Test
    void every_form_and_engine_is_a_row_and_what_cannot_be_made_says_why() {
        String model = TinyModel.trained(folder.resolve("tiny")).toString();
        Ran ran = Ran.retort("bench-model", model, "--samples", "0", "--rounds", "0", "--json")
                .good();
        JsonNode result = new JsonMapper().readTree(ran.out());
        assertThat(result.get("instructionSet").asString()).contains("libtorch");
        JsonNode rows = result.get("models").get(0).get("rows");
        assertThat(rows).extracting(row -> row.get("name").asString())
                .containsExactly(
                        "fp32", "bf16", "int8-static", "int8-dynamic", "w4", "fp32", "int8-static", "int8-dynamic", "w4");
        assertThat(rows.get(0).get("error").asDouble()).isZero();
        for (JsonNode row : rows) {
            if (row.get("why").isNull()) {
                assertThat(row.get("bytes").asLong()).isPositive();
                assertThat(row.get("error").asDouble()).isBetween(0.0, 0.5);
            } else {
                assertThat(row.get("why").asString()).isNotBlank();
            }
        }
        JsonNode onnx = rows.get(5);
        assertThat(onnx.get("engine").asString()).isEqualTo("onnx-runtime");
        assertThat(onnx.get("error").asDouble()).isLessThan(5e-3);
    }
}
