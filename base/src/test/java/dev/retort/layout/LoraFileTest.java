package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.card.DitSpec;
import dev.retort.io.SafetensorsFile;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Adapter files as other programs write them, compared with the weights that these programs merge. */
class LoraFileTest {
    private static final Map<String, long[]> SMALL =
            Map.of("a.b.weight", new long[] {3, 4}, "a.b.bias", new long[] {3}, "a.c.weight", new long[] {3, 4, 3, 3});

    @TempDir
    private Path temp;

    private static Path adapter(String layout) {
        return Shared.path("reference/lora/" + layout + "/pytorch_lora_weights.safetensors");
    }

    private static TensorFile unet() {
        return SafetensorsFile.open(Shared.path("reference/lora/unet/diffusion_pytorch_model.safetensors"));
    }

    private static LoraModules modules(TensorFile weights) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        weights.entries().forEach((name, entry) -> shapes.put(name, entry.shape()));
        return new LoraModules("the model", shapes, Map.of());
    }

    @ParameterizedTest
    @CsvSource({
        "peft, merged, peft, 32",
        "script, merged, diffusers, 32",
        "diffusers-old, merged, diffusers-old, 32",
        "peft-wide, merged-conv, peft, 77",
        "mixed-wide, merged-conv, 'diffusers,peft', 77"
    })
    void each_layout_merges_into_the_weights_that_its_program_merges(
            String layout, String merged, String ids, int modules) {
        try (TensorFile base = unet();
                TensorFile expected = SafetensorsFile.open(Shared.path("reference/lora/" + merged + ".safetensors"));
                LoraFile file = LoraFile.open(adapter(layout))) {
            assertThat(String.join(
                            ",",
                            file.layouts().stream().map(LoraLayout::id).sorted().toList()))
                    .isEqualTo(ids);
            List<PlacedLora> placed = modules(base).resolve(file);
            assertThat(placed)
                    .hasSize(modules)
                    .allSatisfy(one -> assertThat(one.pair().rank()).isEqualTo(4));
            requireSame(new AdaptedWeights(base, placed), expected);
        }
    }

    private static void requireSame(TensorFile got, TensorFile expected) {
        for (String name : expected.entries().keySet()) {
            float[] want = expected.floats(name);
            float[] have = got.floats(name);
            assertThat(have).as(name).hasSameSizeAs(want);
            for (int i = 0; i < want.length; i++) {
                assertThat(have[i]).as(name + " " + i).isCloseTo(want[i], within(1e-6f + 1e-5f * Math.abs(want[i])));
            }
        }
    }

    @Test
    void the_alpha_of_a_kohya_file_and_that_of_the_header_are_the_same_strength() {
        try (TensorFile base = unet();
                LoraFile kohya = LoraFile.open(adapter("kohya"));
                LoraFile header = LoraFile.open(adapter("peft-metadata"))) {
            assertThat(kohya.pairs())
                    .allSatisfy(pair -> assertThat(pair.scale()).isEqualTo(2));
            TensorFile byKohya = new AdaptedWeights(base, modules(base).resolve(kohya));
            TensorFile byHeader = new AdaptedWeights(base, modules(base).resolve(header));
            requireSame(byKohya, byHeader);
        }
    }

    @Test
    void an_adapter_taken_off_again_leaves_the_weights_as_they_were() {
        try (TensorFile base = unet();
                LoraFile file = LoraFile.open(adapter("peft-wide"))) {
            List<PlacedLora> placed = modules(base).resolve(file);
            TensorFile merged = new AdaptedWeights(base, placed);
            requireSame(
                    new AdaptedWeights(
                            merged, placed.stream().map(one -> one.weighted(-1)).toList()),
                    base);
        }
    }

    @ParameterizedTest
    @CsvSource({"PEFT", "DIFFUSERS", "KOHYA"})
    void what_is_written_is_read_back_as_the_same_adapter(LoraLayout layout) {
        try (TensorFile base = unet();
                LoraFile file = LoraFile.open(adapter("peft-metadata"))) {
            LoraModules modules = modules(base);
            List<PlacedLora> placed = modules.resolve(file);
            Path out = temp.resolve("out.safetensors");
            layout.write(out, modules.denoiser(), modules.named(placed, LoraModules.OWN));
            try (LoraFile again = LoraFile.open(out);
                    TensorFile raw = SafetensorsFile.open(out)) {
                assertThat(again.layouts()).containsExactly(layout);
                assertThat(raw.metadata()).containsExactly(Map.entry("format", "pt"));
                assertThat(raw.entries().keySet().stream().filter(key -> key.endsWith(".alpha")))
                        .hasSize(layout == LoraLayout.KOHYA ? 32 : 0);
                assertThat(raw.entries().keySet())
                        .allMatch(key -> key.startsWith(layout == LoraLayout.KOHYA ? "lora_unet_" : "unet."));
                assertThat(again.pairs())
                        .allSatisfy(pair -> assertThat(pair.scale()).isEqualTo(1));
                requireSame(new AdaptedWeights(base, modules.resolve(again)), new AdaptedWeights(base, placed));
            }
        }
    }

    @Test
    void names_of_the_original_program_are_found_by_counting_blocks() throws Exception {
        JsonNode shapes =
                JsonMapper.shared().readTree(Files.readString(Shared.path("reference/shapes/unet-sd15.json")));
        List<String> layers = shapes.propertyNames().stream()
                .filter(name -> name.endsWith(".weight"))
                .map(name -> name.substring(0, name.length() - ".weight".length()))
                .toList();
        assertThat(LdmNames.of(layers))
                .hasSameSizeAs(layers)
                .containsEntry("down_blocks.0.resnets.0.conv1", "input_blocks.1.0.in_layers.2")
                .containsEntry("down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op")
                .containsEntry("down_blocks.1.attentions.0.proj_in", "input_blocks.4.1.proj_in")
                .containsEntry("down_blocks.3.resnets.1.conv2", "input_blocks.11.0.out_layers.3")
                .containsEntry("mid_block.resnets.1.time_emb_proj", "middle_block.2.emb_layers.1")
                .containsEntry("mid_block.attentions.0.proj_out", "middle_block.1.proj_out")
                .containsEntry("up_blocks.0.upsamplers.0.conv", "output_blocks.2.1.conv")
                .containsEntry("up_blocks.1.attentions.0.proj_in", "output_blocks.3.1.proj_in")
                .containsEntry("up_blocks.2.upsamplers.0.conv", "output_blocks.8.2.conv")
                .containsEntry("up_blocks.3.resnets.2.conv_shortcut", "output_blocks.11.0.skip_connection");
    }

    @Test
    void a_kohya_file_of_original_names_is_the_same_adapter() {
        try (TensorFile base = unet();
                LoraFile file = LoraFile.open(adapter("peft-wide"))) {
            LoraModules modules = modules(base);
            List<PlacedLora> placed = modules.resolve(file);
            Path out = temp.resolve("ldm.safetensors");
            LoraLayout.KOHYA.write(out, "unet", modules.named(placed, "ldm"));
            try (LoraFile again = LoraFile.open(out);
                    TensorFile raw = SafetensorsFile.open(out)) {
                assertThat(raw.entries())
                        .containsKey("lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight");
                requireSame(new AdaptedWeights(base, modules.resolve(again)), new AdaptedWeights(base, placed));
            }
        }
    }

    @Test
    void parts_of_a_fused_weight_are_joined_and_split_exactly() {
        DitSpec spec = new DitSpec(4, 4, 1, 2, 4, 1, 2, 2, 3, 0.1, false, false);
        Map<String, long[]> own = DitLayout.parameters(spec);
        LoraModules modules = new LoraModules("the DiT", own, Map.of("diffusers", DitLayout.DIFFUSERS.parts(spec)));
        float[] a = {1, 2, 3, 4};
        Path split = write(Map.of(
                "transformer.transformer_blocks.0.attn1.to_q.lora_A.weight", tensor(a, 1, 4),
                "transformer.transformer_blocks.0.attn1.to_q.lora_B.weight", tensor(new float[] {1, 0, 2, 0}, 4, 1),
                "transformer.transformer_blocks.0.attn1.to_v.lora_A.weight", tensor(new float[] {0, 1, 0, 1}, 1, 4),
                "transformer.transformer_blocks.0.attn1.to_v.lora_B.weight", tensor(new float[] {0, 3, 0, 0}, 4, 1)));
        try (LoraFile file = LoraFile.open(split)) {
            List<PlacedLora> placed = modules.resolve(file);
            List<LoraPair> joined = modules.named(placed, LoraModules.OWN);
            assertThat(joined).hasSize(1);
            assertThat(joined.get(0).module()).isEqualTo("blocks.0.attn.qkv");
            assertThat(joined.get(0).rank()).isEqualTo(2);
            Path fused = temp.resolve("fused.safetensors");
            LoraLayout.PEFT.write(fused, modules.denoiser(), joined);
            Path zeros = temp.resolve("zeros.safetensors");
            SafetensorsWriter blank = new SafetensorsWriter();
            own.forEach((name, shape) ->
                    blank.add(name, shape, new float[(int) Arrays.stream(shape).reduce(1, (x, y) -> x * y)]));
            blank.write(zeros);
            try (TensorFile base = SafetensorsFile.open(zeros);
                    LoraFile again = LoraFile.open(fused)) {
                assertThat(again.denoiser()).isEqualTo("transformer");
                TensorFile merged = new AdaptedWeights(base, placed);
                requireSame(new AdaptedWeights(base, modules.resolve(again)), merged);
                float[] qkv = merged.floats("blocks.0.attn.qkv.weight");
                assertThat(Arrays.copyOfRange(qkv, 8, 12)).containsExactly(2, 4, 6, 8); // row 2 of q
                assertThat(Arrays.copyOfRange(qkv, 16, 32)).containsOnly(0); // k
                assertThat(Arrays.copyOfRange(qkv, 36, 40)).containsExactly(0, 3, 0, 3); // row 1 of v
                Path parts = temp.resolve("parts.safetensors");
                LoraLayout.DIFFUSERS.write(parts, "transformer", modules.named(modules.resolve(again), "diffusers"));
                try (LoraFile third = LoraFile.open(parts)) {
                    assertThat(third.pairs()).hasSize(3); // that of k is there, and adds zero
                    requireSame(new AdaptedWeights(base, modules.resolve(third)), merged);
                }
            }
        }
    }

    @Test
    void a_layer_that_another_program_repeats_must_be_adapted_alike_everywhere() {
        DitSpec spec = new DitSpec(4, 4, 1, 2, 4, 2, 2, 2, 3, 0.1, false, false);
        LoraModules modules = new LoraModules(
                "the DiT", DitLayout.parameters(spec), Map.of("diffusers", DitLayout.DIFFUSERS.parts(spec)));
        String shared = ".norm1.emb.timestep_embedder.linear_2.lora_";
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("transformer.transformer_blocks.0" + shared + "A.weight", tensor(new float[4], 1, 4));
        tensors.put("transformer.transformer_blocks.0" + shared + "B.weight", tensor(new float[4], 4, 1));
        assertThatThrownBy(() -> resolve(modules, tensors))
                .hasMessageContaining("as 't_embedder.mlp.2', and its program 2 times");
        tensors.put("transformer.transformer_blocks.1" + shared + "A.weight", tensor(new float[4], 1, 4));
        tensors.put("transformer.transformer_blocks.1" + shared + "B.weight", tensor(new float[4], 4, 1));
        assertThat(resolve(modules, tensors)).hasSize(1);
        tensors.put("transformer.transformer_blocks.1" + shared + "B.weight", tensor(new float[] {1, 0, 0, 0}, 4, 1));
        assertThatThrownBy(() -> resolve(modules, tensors)).hasMessageContaining("adapted alike");
    }

    @Test
    void text_encoders_have_their_own_places() {
        LoraModules modules = new LoraModules(
                "the pipeline",
                Map.of(
                        "unet.a.b.weight", new long[] {3, 4},
                        "text_encoder.m.q_proj.weight", new long[] {3, 4},
                        "text_encoder_2.m.q_proj.weight", new long[] {5, 4}),
                Map.of());
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        pair(tensors, "lora_te1_m_q_proj.lora_down.weight", "lora_te1_m_q_proj.lora_up.weight", 3);
        pair(tensors, "text_encoder_2.m.q_proj.lora_A.weight", "text_encoder_2.m.q_proj.lora_B.weight", 5);
        pair(tensors, "unet.a.b.lora.down.weight", "unet.a.b.lora.up.weight", 3);
        assertThat(resolve(modules, tensors))
                .extracting(PlacedLora::own)
                .containsExactlyInAnyOrder("text_encoder.m.q_proj", "text_encoder_2.m.q_proj", "unet.a.b");
        Map<String, Tensor> linear = new LinkedHashMap<>();
        pair(
                linear,
                "text_encoder.m.q_proj.lora_linear_layer.down.weight",
                "text_encoder.m.q_proj.lora_linear_layer.up.weight",
                3);
        assertThat(resolve(modules, linear)).hasSize(1);
        LoraModules alone = new LoraModules("the U-Net", SMALL, Map.of());
        assertThatThrownBy(() -> resolve(alone, linear)).hasMessageContaining("no text encoder");
    }

    @Test
    void a_prefix_of_the_peft_library_or_none_and_an_adapters_name_are_read() {
        LoraModules modules = new LoraModules("the model", SMALL, Map.of());
        for (String start : List.of("", "base_model.model.", "unet.base_model.model.", "base_model.model.unet.")) {
            for (String name : List.of("", ".default")) {
                Map<String, Tensor> tensors = new LinkedHashMap<>();
                pair(tensors, start + "a.b.lora_A" + name + ".weight", start + "a.b.lora_B" + name + ".weight", 3);
                assertThat(resolve(modules, tensors))
                        .extracting(PlacedLora::own)
                        .containsExactly("a.b");
            }
        }
    }

    @Test
    void a_configuration_beside_the_file_says_its_strength() throws Exception {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        pair(tensors, "base_model.model.a.b.lora_A.weight", "base_model.model.a.b.lora_B.weight", 3);
        Path file = write(tensors);
        Path folder = Files.createDirectory(temp.resolve("peft"));
        Files.copy(file, folder.resolve("adapter_model.safetensors"));
        Files.writeString(
                folder.resolve("adapter_config.json"), "{\"r\":2,\"lora_alpha\":1,\"alpha_pattern\":{\"b\":6}}");
        try (LoraFile adapter = LoraFile.open(folder)) {
            assertThat(adapter.pairs().get(0).scale()).isEqualTo(3);
        }
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\":8,\"lora_alpha\":1}");
        assertThatThrownBy(() -> LoraFile.open(folder))
                .hasMessageContaining("rank 8")
                .hasMessageContaining("rank 2");
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\":2,\"use_dora\":true}");
        assertThatThrownBy(() -> LoraFile.open(folder)).hasMessageContaining("DoRA");
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\":2,\"lora_alpha\":4,\"use_rslora\":true}");
        try (LoraFile adapter = LoraFile.open(folder)) {
            assertThat(adapter.pairs().get(0).scale()).isCloseTo(4 / Math.sqrt(2), within(1e-12));
        }
    }

    @Test
    void the_norm_is_that_of_the_product() {
        float[] a = {1, 2, 3, 4, -1, 0, 2, 5};
        float[] b = {1, 0, 2, -1, 3, 1};
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 4; j++) {
                double value = b[2 * i] * a[j] + b[2 * i + 1] * a[4 + j];
                sum += value * value;
            }
        }
        LoraPair pair = LoraPair.of("m", new long[] {2, 4}, a, new long[] {3, 2}, b);
        assertThat(pair.scaled(-0.5).norm()).isCloseTo(0.5 * Math.sqrt(sum), within(1e-9));
    }

    /** A tensor for a test's file. */
    record Tensor(long[] shape, float[] values) {}

    static Tensor tensor(float[] values, long... shape) {
        return new Tensor(shape, values);
    }

    /** A pair of rank 2 for four inputs. */
    static void pair(Map<String, Tensor> tensors, String down, String up, int rows) {
        tensors.put(down, tensor(new float[8], 2, 4));
        tensors.put(up, tensor(new float[2 * rows], rows, 2));
    }

    private List<PlacedLora> resolve(LoraModules modules, Map<String, Tensor> tensors) {
        try (LoraFile file = LoraFile.open(write(tensors))) {
            return modules.resolve(file);
        }
    }

    private Path write(Map<String, Tensor> tensors) {
        Path path = temp.resolve("adapter.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, tensor) -> writer.add(name, tensor.shape(), tensor.values()));
        writer.write(path);
        return path;
    }
}
