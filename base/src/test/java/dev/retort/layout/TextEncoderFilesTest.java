package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.text.ClipTokenizer;
import dev.retort.tokenizer.TokenizerFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class TextEncoderFilesTest {
    private static final int LARGEST = ClipTextSpec.LARGEST_ID;

    /** Shapes of the kinds that pipelines have, small; heads of width 64 as in all of them. */
    private static final ClipTextSpec SD_1 =
            new ClipTextSpec(50, 8, 64, 96, 2, 1, Activation.QUICK_GELU, 1e-5, 0, 0, true, LARGEST);

    private static final ClipTextSpec SD_2 =
            new ClipTextSpec(50, 8, 64, 96, 2, 1, Activation.GELU, 1e-5, 0, 0, true, LARGEST);
    private static final ClipTextSpec FIRST = SD_1.handing(1, false);
    private static final ClipTextSpec SECOND =
            new ClipTextSpec(50, 8, 128, 96, 3, 2, Activation.GELU, 1e-5, 40, 1, false, LARGEST);

    @TempDir
    Path folder;

    private static Path reference(String name) {
        return Shared.path("reference/" + name);
    }

    private static TextEncoderFiles only(Path path) {
        List<TextEncoderFiles> found = TextEncoderFiles.find(path);
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static Map<String, List<Float>> values(TensorFile file) {
        Map<String, List<Float>> values = new LinkedHashMap<>();
        file.entries().forEach((name, entry) -> {
            float[] floats = file.floats(name);
            Float[] boxed = new Float[floats.length];
            Arrays.setAll(boxed, i -> floats[i]);
            values.put(name + Arrays.toString(entry.shape()), List.of(boxed));
        });
        return values;
    }

    private static Map<String, List<Float>> values(TextEncoderFiles files) {
        try (TensorFile file = files.open()) {
            return values(file);
        }
    }

    /** A file with random parameters of an encoder of that shape, under our names. */
    private TensorFile random(ClipTextSpec spec, int seed) {
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(seed);
        ClipTextLayout.parameters(spec).forEach((name, shape) -> {
            ByteBuffer bytes =
                    ByteBuffer.allocate((int) Dtype.F32.bytesOf(shape)).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                bytes.putFloat((float) random.nextGaussian());
            }
            writer.add(name, Dtype.F32, shape, () -> bytes.flip());
        });
        Path file = folder.resolve("random-" + seed + ".safetensors");
        writer.write(file);
        return TensorFiles.open(file);
    }

    @Test
    void full_size_files_have_exactly_the_published_keys_and_shapes() {
        Map<String, ClipTextSpec> lists = Map.of(
                "clip-vit-l-14-text",
                new ClipTextSpec(49408, 77, 768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5, 0, 0, true, LARGEST),
                "clip-bigg-14-text-projection",
                new ClipTextSpec(49408, 77, 1280, 5120, 32, 20, Activation.GELU, 1e-5, 1280, 1, false, LARGEST));
        lists.forEach((list, spec) -> {
            JsonNode root = JsonMapper.shared()
                    .readTree(reference("shapes/" + list + ".json").toFile());
            Map<String, String> expected = new LinkedHashMap<>();
            root.properties()
                    .forEach(key ->
                            expected.put(key.getKey(), key.getValue().get(0).toString()));
            Map<String, String> ours = new LinkedHashMap<>();
            ClipTextLayout.TRANSFORMERS
                    .shapes(spec, "")
                    .forEach(
                            (key, shape) -> ours.put(key, Arrays.toString(shape).replace(" ", "")));
            assertThat(ours).as(list).containsExactlyInAnyOrderEntriesOf(expected);
        });
    }

    @Test
    void names_with_and_without_their_prefix_and_pickles_hold_the_same_weights() throws IOException {
        TextEncoderFiles bare = only(reference("clip-text/model-a"));
        assertThat(bare.spec())
                .isEqualTo(new ClipTextSpec(1000, 77, 32, 64, 3, 4, Activation.QUICK_GELU, 1e-5, 0, 0, true, LARGEST));
        Path prefixed = reference("clip-text/model-a-prefixed");
        assertThat(values(only(prefixed))).isEqualTo(values(bare));
        for (String file : List.of("config.json", "pytorch_model.bin")) {
            Files.copy(prefixed.resolve(file), folder.resolve(file));
        }
        assertThat(values(only(folder))).isEqualTo(values(bare));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model-a", "model-b"})
    void a_folder_written_here_has_the_keys_and_fields_of_the_library_and_reads_back_equal(String model) {
        TextEncoderFiles read = only(reference("clip-text/" + model));
        try (TensorFile parameters = read.open()) {
            assertThat(TextEncoderFiles.write(folder, read.spec(), parameters, Storage.of(Dtype.F32)))
                    .isEmpty();
        }
        assertThat(only(folder).spec()).isEqualTo(read.spec());
        assertThat(values(only(folder))).isEqualTo(values(read));
        String like = model.equals("model-a") ? "model-a-prefixed" : model;
        try (TensorFile ours = TensorFiles.open(folder.resolve("model.safetensors"));
                TensorFile theirs = TensorFiles.open(reference("clip-text/" + like + "/model.safetensors"))) {
            Map<String, List<Float>> expected = values(theirs);
            expected.keySet().removeIf(name -> name.contains("position_ids"));
            assertThat(values(ours)).containsExactlyInAnyOrderEntriesOf(expected);
            assertThat(ours.metadata()).containsEntry("format", "pt");
        }
        ObjectNode expected = (ObjectNode) config(reference("clip-text/" + model));
        expected.remove(List.of("dtype", "transformers_version"));
        ObjectNode ours = (ObjectNode) config(folder);
        if (model.equals("model-a")) {
            // of an encoder without projection it means nothing
            expected.remove("projection_dim");
            ours.remove("projection_dim");
        }
        assertThat(ours).isEqualTo(expected);
    }

    private static JsonNode config(Path folder) {
        return JsonMapper.shared().readTree(folder.resolve("config.json").toFile());
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"F16", "BF16"})
    void half_precision_is_written_and_read(Dtype dtype) {
        TextEncoderFiles read = only(reference("clip-text/model-b"));
        try (TensorFile parameters = read.open()) {
            TextEncoderFiles.write(folder, read.spec(), parameters, Storage.of(dtype));
        }
        try (TensorFile half = only(folder).open();
                TensorFile full = read.open()) {
            for (TensorEntry entry : half.entries().values()) {
                assertThat(entry.dtype()).isEqualTo(dtype);
                float[] a = half.floats(entry.name());
                float[] b = full.floats(entry.name());
                for (int i = 0; i < a.length; i++) {
                    assertThat(a[i]).isCloseTo(b[i], within(Math.abs(b[i]) / 256 + 1e-7f));
                }
            }
        }
    }

    @Test
    void files_in_the_original_layout_hold_the_encoders_of_each_family() {
        for (List<ClipTextSpec> specs :
                List.of(List.of(SD_1), List.of(SD_2), List.of(FIRST, SECOND), List.of(SECOND))) {
            List<TensorFile> parameters =
                    specs.stream().map(spec -> random(spec, spec.layers())).toList();
            SafetensorsWriter writer = new SafetensorsWriter();
            writer.add("model.diffusion_model.out.2.bias", Dtype.F32, new long[] {1}, () -> ByteBuffer.allocate(4));
            for (TensorFile keyed : TextEncoderFiles.original(specs, parameters)) {
                keyed.entries()
                        .forEach((name, entry) -> writer.add(
                                name, Dtype.F32, entry.shape(), keyed.values(name, 0, entry.elements(), Dtype.F32)));
            }
            Path file = folder.resolve("model.safetensors");
            writer.write(file);
            List<TextEncoderFiles> found = TextEncoderFiles.find(file);
            assertThat(found).extracting(TextEncoderFiles::spec).isEqualTo(specs);
            for (int i = 0; i < found.size(); i++) {
                assertThat(values(found.get(i))).isEqualTo(values(parameters.get(i)));
            }
            parameters.forEach(TensorFile::close);
        }
    }

    @Test
    void open_clip_has_q_k_and_v_below_each_other_and_the_projection_transposed() {
        try (TensorFile ours = random(SECOND, 1)) {
            TensorFile keys =
                    TextEncoderFiles.original(List.of(SECOND), List.of(ours)).get(0);
            String block = "conditioner.embedders.0.model.transformer.resblocks.2.";
            assertThat(keys.entry(block + "attn.in_proj_weight").shape()).containsExactly(3 * 128, 128);
            float[] joint = keys.floats(block + "attn.in_proj_weight");
            float[] bias = keys.floats(block + "attn.in_proj_bias");
            String[] thirds = {"q_proj", "k_proj", "v_proj"};
            for (int i = 0; i < 3; i++) {
                String third = "text_model.encoder.layers.2.self_attn." + thirds[i];
                assertThat(Arrays.copyOfRange(joint, i * 128 * 128, (i + 1) * 128 * 128))
                        .isEqualTo(ours.floats(third + ".weight"));
                assertThat(Arrays.copyOfRange(bias, i * 128, (i + 1) * 128)).isEqualTo(ours.floats(third + ".bias"));
            }
            float[] projection = keys.floats("conditioner.embedders.0.model.text_projection"); // (128, 40)
            assertThat(projection[5 * 40 + 3]).isEqualTo(ours.floats("text_projection.weight")[3 * 128 + 5]);
            assertThat(keys.entries().keySet())
                    .contains(
                            block + "ln_1.weight",
                            block + "ln_2.bias",
                            block + "attn.out_proj.weight",
                            block + "mlp.c_fc.bias",
                            block + "mlp.c_proj.weight",
                            "conditioner.embedders.0.model.ln_final.bias",
                            "conditioner.embedders.0.model.positional_embedding",
                            "conditioner.embedders.0.model.token_embedding.weight")
                    .hasSize(3 * 12 + 5);
        }
    }

    @Test
    void the_last_block_of_an_sd_2_file_which_nothing_reads_is_left_out() {
        ClipTextSpec whole = new ClipTextSpec(50, 8, 64, 96, 3, 1, Activation.GELU, 1e-5, 64, 1, true, LARGEST);
        try (TensorFile parameters = random(whole, 1)) {
            String prefix = OriginalTextEncoder.SD_2.prefix();
            ConvertedWeights.writer(ClipTextLayout.OPEN_CLIP.keys(parameters, whole, prefix), Dtype.F16)
                    .write(folder.resolve("sd2.safetensors"));
            assertThat(only(folder.resolve("sd2.safetensors")).spec()).isEqualTo(SD_2);
        }
    }

    @Test
    void a_pipeline_of_two_encoders_is_read_as_sdxl_and_each_has_its_tokenizer() {
        ClipTokenizer tokenizer = ClipTokenizer.learn(List.of("a red circle", "a blue square"), 50, 8);
        for (String end : List.of("", "_2")) {
            ClipTextSpec spec = end.isEmpty() ? FIRST : SECOND;
            try (TensorFile parameters = random(spec, 5)) {
                TextEncoderFiles.write(folder.resolve("text_encoder" + end), spec, parameters, Storage.of(Dtype.F32));
            }
            TokenizerFolder.write(tokenizer, folder.resolve("tokenizer" + end));
        }
        List<TextEncoderFiles> found = TextEncoderFiles.find(folder);
        assertThat(found).extracting(TextEncoderFiles::spec).containsExactly(FIRST, SECOND);
        assertThat(found).allSatisfy(files -> assertThat(files.tokenizer()).contains(tokenizer));
    }

    @Test
    void a_tokenizer_that_does_not_fit_is_refused_with_both_sizes() throws IOException {
        Path encoder = Files.createDirectories(folder.resolve("text_encoder"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(reference("clip-text/model-a").resolve(file), encoder.resolve(file));
        }
        Path tokenizer = folder.resolve("tokenizer");
        TokenizerFolder.write(TokenizerFolder.read(reference("clip-text/tokenizer")), tokenizer);
        assertThatThrownBy(() -> only(folder).tokenizer())
                .hasMessageContaining("tokenizer does not fit")
                .hasMessageContaining("the tokenizer has 49408 tokens, and the encoder knows 1000");
        TokenizerFolder.write(ClipTokenizer.learn(List.of("a red circle"), 60, 100), tokenizer);
        assertThatThrownBy(() -> only(folder).tokenizer())
                .hasMessageContaining("texts of 100 tokens, and the encoder reads 77");
        assertThat(only(encoder).tokenizer()).isEmpty();
    }

    @Test
    void an_encoder_that_pools_at_another_token_does_not_fit() {
        ClipTextSpec pooling = new ClipTextSpec(50, 8, 64, 96, 2, 1, Activation.GELU, 1e-5, 40, 0, true, 49);
        assertThatThrownBy(() -> pooling.requireFits(ClipTokenizer.learn(List.of("a red circle"), 30, 8)))
                .hasMessageContaining("and the encoder pools at 49");
    }

    @Test
    void what_is_no_text_encoder_of_clip_is_refused_by_file_and_field() throws IOException {
        Path encoder = Files.createDirectories(folder.resolve("text_encoder"));
        Path config = encoder.resolve("config.json");
        Files.copy(reference("clip-text/model-a/model.safetensors"), encoder.resolve("model.safetensors"));
        String good = Files.readString(reference("clip-text/model-a/config.json"));
        Map<String, String> changes = Map.of(
                "\"clip_text_model\"", "\"t5\"",
                "\"quick_gelu\"", "\"relu\"",
                "\"num_attention_heads\": 4", "\"num_attention_heads\": 5");
        Map<String, String> messages = Map.of(
                "\"t5\"", "model_type is t5, expected clip_text_model",
                "\"relu\"", "hidden_act is relu, expected quick_gelu or gelu",
                "\"num_attention_heads\": 5", "width is 32, expected a multiple of heads 5");
        changes.forEach((from, to) -> {
            assertThat(good).contains(from);
            write(config, good.replace(from, to));
            assertThatThrownBy(() -> TextEncoderFiles.find(folder))
                    .hasMessageContaining("config.json")
                    .hasMessageContaining(messages.get(to));
        });
        write(config, good.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4"));
        assertThatThrownBy(() -> TextEncoderFiles.find(folder))
                .hasMessageContaining("model.safetensors belongs to another architecture: missing encoder.layers.3.");
    }

    @Test
    void a_model_without_text_has_no_encoders() throws IOException {
        assertThat(TextEncoderFiles.find(folder)).isEmpty();
        Files.writeString(folder.resolve("config.json"), "{\"_class_name\": \"DiTTransformer2DModel\"}");
        assertThat(TextEncoderFiles.find(folder)).isEmpty();
        try (TensorFile file = random(SD_1, 1)) {
            assertThat(TextEncoderFiles.find(file.path())).isEmpty();
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
