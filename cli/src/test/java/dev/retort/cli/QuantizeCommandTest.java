package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class QuantizeCommandTest {
    @TempDir
    private Path folder;

    private String model;
    private String out;

    @BeforeEach
    void save() {
        model = TinyModel.trained(folder.resolve("model")).toString();
        out = folder.resolve("small").toString();
    }

    private Ran quantize(String recipe, String... options) {
        String[] command = new String[options.length + 7];
        System.arraycopy(
                new String[] {"quantize", model, recipe, "--out", out, "--set", "calibration.samples=4"},
                0,
                command,
                0,
                7);
        System.arraycopy(options, 0, command, 7, options.length);
        return Ran.retort(command);
    }

    @Test
    void it_says_of_each_layer_what_it_costs_and_why_it_is_kept_and_what_is_faster_here() {
        Ran ran = quantize("w8").good();
        assertThat(ran.out())
                .containsPattern("blocks\\.0\\.attn\\.qkv +24 x 8 +[0-9.]+ % +quantised")
                .containsPattern("final_layer\\.linear .*kept, as the recipe says")
                .containsPattern("Size +.* before, .* now")
                .containsPattern("Output +differs by [0-9.]+ %");
        assertThat(ran.err())
                .contains("Its file is smaller; sampling takes as long")
                .contains("Next: retort compare " + model + " " + out);
        assertThat(Ran.retort("inspect", out).good().out()).contains("Bits      8-bit weights, in 4 layers");
        Ran.retort(
                        "sample",
                        out,
                        "--count",
                        "2",
                        "--out",
                        folder.resolve("s.png").toString())
                .good();
        Ran.retort("convert", out, folder.resolve("x").toString()).refused(7, "is quantised (8-bit weights)");
    }

    @Test
    void its_json_holds_all_of_it() {
        JsonNode result = new JsonMapper()
                .readTree(quantize("w4", "--set", "weights.group=4", "--json")
                        .good()
                        .out());
        assertThat(result.get("quantization").asString()).isEqualTo("4-bit weights in groups of 4");
        assertThat(result.get("bytes").asLong())
                .isLessThan(result.get("bytesBefore").asLong());
        assertThat(result.get("outputError").asDouble()).isBetween(1e-4, 0.5);
        assertThat(result.get("millisecondsPerStep").get("quantised, fp32").asDouble())
                .isPositive();
        assertThat(result.get("layers").get(0).get("fate").asString()).isEqualTo("kept");
        assertThat(result.get("layers").get(0).get("error").isNull()).isTrue();
    }

    @Test
    void what_is_wrong_in_a_recipe_is_said_before_anything_is_written() {
        quantize("w8", "--set", "weights.bits=3").refused(3, "weights.bits is 3, expected 8 or 4");
        quantize("w8", "--set", "keep.0=blocks.9.mlp.fc1").refused(3, "keep.0", "blocks.9.mlp.fc1");
        quantize("w4", "--set", "weights.group=6").refused(3, "weights.group is 6", "does not divide the 8 inputs");
        quantize("shapes-teacher").refused(3, "is a preset for another command: retort train shapes-teacher");
        assertThat(Path.of(out)).doesNotExist();
    }
}
