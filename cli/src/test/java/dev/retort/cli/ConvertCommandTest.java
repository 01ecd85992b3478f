package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ConvertedWeights;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ConvertCommandTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void save() {
        model = TinyModel.ddpm(folder.resolve("model"));
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    private static Ran good(String... words) {
        return Ran.retort(words).good();
    }

    @Test
    void a_model_goes_to_every_layout_and_comes_back_the_same() {
        good("convert", model.toString(), at("a.pt"));
        Ran there = good("convert", at("a.pt"), at("pipeline"), "--to", "diffusers", "--heads", "2");
        assertThat(there.out().strip()).isEqualTo(at("pipeline"));
        assertThat(there.err()).contains("Mind: the library embeds time with other frequencies");
        good("convert", at("pipeline"), at("b.safetensors"));
        good("convert", at("b.safetensors"), at("again"), "--heads", "2");
        try (TensorFile before = TensorFiles.open(model.resolve("model.safetensors"));
                TensorFile after = TensorFiles.open(folder.resolve("again/model.safetensors"))) {
            assertThat(after.entries().keySet()).isEqualTo(before.entries().keySet());
            before.entries()
                    .keySet()
                    .forEach(name -> assertThat(after.floats(name)).as(name).isEqualTo(before.floats(name)));
        }
        Ran drawn =
                good("sample", at("again"), "--device", "cpu", "--steps", "2", "--count", "1", "--out", at("a.png"));
        assertThat(drawn.out().strip()).isEqualTo(at("a.png"));
    }

    @Test
    void inspect_names_the_network_of_every_layout_and_how_to_go_on() {
        good("convert", model.toString(), at("a.pt"));
        good("convert", model.toString(), at("pipeline"), "--to", "diffusers", "--shard-mb", "1");
        Ran own = good("inspect", model.toString());
        assertThat(own.out()).contains("DiT-2x16x2/2 (own keys)", "ddim, 3 steps", "predicts epsilon");
        assertThat(own.err()).contains("Next: retort sample " + model);
        Ran torch = good("inspect", at("a.pt"), "--heads", "2", "--stats");
        assertThat(torch.out())
                .contains("DiT-2x16x2/2 (original keys)", "guidance 4.0", "blocks.1.mlp.fc2.weight", "16x64");
        assertThat(torch.err()).contains("Next: retort convert " + at("a.pt"));
        assertThat(good("inspect", at("pipeline")).err()).contains("Next: retort sample " + at("pipeline"));
        Ran diffusers = good("inspect", at("pipeline"), "--json", "--keys");
        JsonNode found = new JsonMapper().readTree(diffusers.out());
        assertThat(found.get("layout").asString()).isEqualTo("diffusers");
        assertThat(found.get("card")
                        .get("network")
                        .get("convention")
                        .get("frequencyShift")
                        .asDouble())
                .isEqualTo(1);
        assertThat(found.get("tensors")).hasSize(found.get("tensorCount").asInt());
        assertThat(found.get("card").get("classes").get(2).asString()).isEqualTo("star");
    }

    @Test
    void inspect_lists_what_it_does_not_know_and_says_why() throws Exception {
        good("convert", model.toString(), at("a.pt"));
        Ran ran = good("inspect", at("a.pt"));
        assertThat(ran.out()).contains("not known: ", "give the number of heads (option --heads)");
        Files.writeString(folder.resolve("page.pt"), "<html>not found</html>");
        Ran.retort("inspect", at("page.pt")).refused(7, "page.pt", "it is a web page");
        Ran.retort("inspect", at("none.pt")).refused(7, "none.pt", "no such file");
    }

    private String types(String name) {
        try (TensorFile file = TensorFiles.open(folder.resolve(name))) {
            return ConvertedWeights.types(file).toString();
        }
    }

    @Test
    void the_type_of_the_weights_is_kept_unless_another_is_asked_for() throws Exception {
        good("convert", model.toString(), at("half.pt"), "--dtype", "bf16");
        Ran ran = good("convert", at("half.pt"), at("own"), "--heads", "2");
        assertThat(types("own")).isEqualTo("[BF16]");
        assertThat(ran.err()).doesNotContain("Mind");
        good("convert", at("own"), at("pipe"), "--to", "diffusers");
        assertThat(types("pipe/transformer")).isEqualTo("[BF16]");
        assertThat(good("convert", at("pipe"), at("back.safetensors")).err())
                .contains("Mind: the table of positions", "is written in bf16");
        good("convert", at("half.pt"), at("wide"), "--heads", "2", "--dtype", "fp32");
        assertThat(types("wide")).isEqualTo("[F32]");
    }

    @Test
    void weights_of_several_types_are_written_in_one_that_holds_all_and_it_is_said() throws Exception {
        SafetensorsWriter mixed = new SafetensorsWriter();
        good("convert", model.toString(), at("a.pt"));
        try (TensorFile file = TensorFiles.open(folder.resolve("a.pt"))) {
            file.entries().values().forEach(entry -> {
                if (entry.name().endsWith(".bias")) {
                    mixed.add(
                            entry.name(),
                            Dtype.BF16,
                            entry.shape(),
                            () -> ByteBuffer.allocate(2 * (int) entry.elements()));
                } else {
                    mixed.add(entry.name(), entry.shape(), file.floats(entry.name()));
                }
            });
            mixed.write(folder.resolve("mixed.safetensors"));
        }
        assertThat(good("convert", at("mixed.safetensors"), at("own"), "--heads", "2")
                        .err())
                .contains("Mind: the weights are of type BF16 and F32; written in fp32");
        assertThat(types("own")).isEqualTo("[F32]");
    }

    @Test
    void a_value_beyond_the_range_of_the_type_is_refused_before_anything_is_written() throws Exception {
        good("convert", model.toString(), at("a.pt"));
        SafetensorsWriter large = new SafetensorsWriter();
        try (TensorFile file = TensorFiles.open(folder.resolve("a.pt"))) {
            file.entries().values().forEach(entry -> {
                float[] values = file.floats(entry.name());
                if (entry.name().equals("blocks.1.mlp.fc1.bias")) {
                    values[0] = -7e4f;
                    values[3] = 1e30f;
                }
                large.add(entry.name(), entry.shape(), values);
            });
            large.write(folder.resolve("large.safetensors"));
        }
        for (String[] out : new String[][] {{"x"}, {"x.pt"}, {"x", "--to", "diffusers"}}) {
            String[] words = {"convert", at("large.safetensors"), at(out[0]), "--heads", "2", "--dtype", "fp16"};
            Ran.retort(Stream.concat(Arrays.stream(words), Arrays.stream(out).skip(1))
                            .toArray(String[]::new))
                    .refused(2, "2 values are beyond the range of F16", "2 of 'blocks.1.mlp.fc1.bias'", "bf16 or fp32");
            assertThat(folder.resolve(out[0])).doesNotExist();
        }
        good("convert", at("large.safetensors"), at("x"), "--heads", "2", "--dtype", "bf16");
    }

    @Test
    void types_are_narrowed_on_request() {
        good("convert", model.toString(), at("half"), "--dtype", "bf16");
        try (TensorFile file = TensorFiles.open(folder.resolve("half/model.safetensors"))) {
            assertThat(file.entries().values())
                    .allSatisfy(entry -> assertThat(entry.dtype().name()).isEqualTo("BF16"));
        }
    }

    @Test
    void force_replaces_what_convert_wrote_and_nothing_else() throws Exception {
        good("convert", model.toString(), at("own"));
        good("convert", model.toString(), at("own"), "--force", "--dtype", "bf16");
        assertThat(folder.resolve("own").toFile().list()).containsExactlyInAnyOrder("model.json", "model.safetensors");
        good("convert", model.toString(), at("pipe"), "--to", "diffusers", "--shard-mb", "1");
        good("convert", model.toString(), at("pipe"), "--to", "diffusers", "--force");
        Ran.retort("convert", model.toString(), at("pipe"), "--force").refused(2, "which are not part of a model");
        Files.createDirectories(folder.resolve("pipe/vae"));
        Files.writeString(folder.resolve("pipe/vae/config.json"), "{}");
        Ran.retort("convert", model.toString(), at("pipe"), "--to", "diffusers", "--force")
                .refused(2, "holds vae/config.json", "give another name, or move it away");
        assertThat(folder.resolve("pipe/vae/config.json")).hasContent("{}");
        Files.writeString(folder.resolve("own/thesis.txt"), "mine");
        Ran.retort("convert", model.toString(), at("own"), "--force").refused(2, "holds thesis.txt");
        assertThat(folder.resolve("own/thesis.txt")).hasContent("mine");
        Files.writeString(folder.resolve("letter"), "mine");
        Ran.retort("convert", model.toString(), at("letter"), "--force").refused(2, "letter is a file");
        assertThat(folder.resolve("letter")).hasContent("mine");
        Files.createDirectory(folder.resolve("x.pt"));
        Ran.retort("convert", model.toString(), at("x.pt"), "--force").refused(2, "x.pt is a folder");
    }

    @Test
    void bad_options_are_usage_errors_and_write_nothing() {
        Ran.retort("convert", model.toString(), at("x"), "--to", "onnx")
                .refused(2, "choose own, original or diffusers");
        Ran.retort("convert", model.toString(), at("x.pt"), "--to", "own").refused(2, "writes a folder");
        Ran.retort("convert", model.toString(), at("x"), "--to", "original").refused(2, "end it in .pt");
        Ran.retort("convert", model.toString(), at("x"), "--dtype", "int4").refused(2, "choose fp32, bf16 or fp16");
        Ran.retort("convert", model.toString(), model.toString()).refused(2, "--force to replace it");
        Ran.retort("convert", at("none"), at("x")).refused(7, "no such file");
        Ran.retort("convert", model.toString(), at("x"), "--family", "flux").refused(2, "choose one of dit, diffusers");
        assertThat(folder.resolve("x")).doesNotExist();
    }
}
