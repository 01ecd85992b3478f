package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.card.KlLayers;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.io.TorchWriter;
import dev.retort.layout.WeightLayout.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OriginalAutoencoderTest {
    private static final KlSpec SD =
            new KlSpec(3, 4, List.of(128, 256, 512, 512), 2, 32, true, true, true, StableDiffusion.SD_1.latentScale());
    private static final KlSpec SMALL =
            new KlSpec(3, 4, List.of(32, 64, 64), 1, 32, true, true, true, StableDiffusion.SD_1.latentScale());
    /** Any tensor of a U-Net beside it, and the one that only XL has. */
    private static final String DENOISER = "model.diffusion_model.input_blocks.0.0.weight";

    private static final String XL = "model.diffusion_model.label_emb.0.0.weight";

    @TempDir
    Path folder;

    /** The folder of an autoencoder of that shape with random weights, as the library writes it. */
    private AutoencoderFiles random(KlSpec spec) throws IOException {
        Path vae = Files.createDirectories(folder.resolve("vae"));
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(1);
        KlLayers.shapes(spec).forEach((name, shape) -> {
            float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat() - 0.5f;
            }
            writer.add(name, shape, values);
        });
        writer.write(vae.resolve("diffusion_pytorch_model.safetensors"));
        Files.writeString(vae.resolve("config.json"), """
                {"_class_name": "AutoencoderKL", "block_out_channels": %s, "layers_per_block": %d, "scaling_factor": %s,
                 "latent_channels": %d, "norm_num_groups": %d}
                """.formatted(
                spec.widths(), spec.layersPerBlock(), spec.scale().scale(), spec.latentChannels(), spec.normGroups()));
        return AutoencoderFiles.find(vae);
    }

    private static void requireEqual(AutoencoderFiles read, TensorFile written) {
        try (TensorFile file = read.open()) {
            assertThat(file.entries().keySet())
                    .containsExactlyElementsOf(
                            KlLayers.shapes((KlSpec) read.spec()).keySet());
            written.entries().forEach((name, entry) -> {
                assertThat(file.entry(name).shape()).as(name).isEqualTo(entry.shape());
                assertThat(file.floats(name)).as(name).isEqualTo(written.floats(name));
            });
        }
    }

    private Path write(TensorFile keys, String name, UnaryOperator<String> named, String... beside) {
        SafetensorsWriter writer = new SafetensorsWriter();
        keys.entries()
                .forEach((key, entry) -> writer.add(
                        named.apply(key), Dtype.F32, entry.shape(), keys.values(key, 0, entry.elements(), Dtype.F32)));
        for (String other : beside) {
            writer.add(other, new long[] {1, 1}, new float[] {1});
        }
        Path file = folder.resolve(name);
        writer.write(file);
        return file;
    }

    private static String bare(String key) {
        return key.substring(OriginalAutoencoder.PREFIX.length());
    }

    @Test
    void its_parameters_and_keys_are_exactly_the_published_ones() throws Exception {
        JsonNode root = JsonMapper.shared()
                .readTree(Shared.path("reference/shapes/vae-sd.json").toFile());
        Map<String, String> published = new LinkedHashMap<>();
        root.properties()
                .forEach(entry ->
                        published.put(entry.getKey(), entry.getValue().get(0).toString()));
        assertThat(KlLayers.shapes(SD).entrySet().stream()
                        .collect(Collectors.toMap(Map.Entry::getKey, entry -> Arrays.toString(entry.getValue())
                                .replace(" ", ""))))
                .isEqualTo(published);
        List<String> keys =
                OriginalAutoencoder.parts(SD).stream().map(Part::key).sorted().toList();
        byte[] digest = MessageDigest.getInstance("SHA-256")
                .digest(String.join("\n", keys).getBytes(StandardCharsets.UTF_8));
        // of the sorted keys of the published file, one a line, made from another program's table
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo("21416c5ccb2f84d7fd9e0d9d7f17876a0830a060538dd437ab040334b64d5f60");
    }

    @ParameterizedTest
    @CsvSource({
        "encoder.down.2.block.0.nin_shortcut.weight, encoder.down_blocks.2.resnets.0.conv_shortcut.weight",
        "encoder.down.0.downsample.conv.bias, encoder.down_blocks.0.downsamplers.0.conv.bias",
        "encoder.mid.attn_1.norm.weight, encoder.mid_block.attentions.0.group_norm.weight",
        "encoder.mid.attn_1.q.weight, encoder.mid_block.attentions.0.to_q.weight",
        "decoder.mid.attn_1.proj_out.bias, decoder.mid_block.attentions.0.to_out.0.bias",
        "decoder.mid.block_2.conv1.weight, decoder.mid_block.resnets.1.conv1.weight",
        "decoder.up.3.upsample.conv.bias, decoder.up_blocks.0.upsamplers.0.conv.bias",
        "decoder.up.0.block.2.norm2.bias, decoder.up_blocks.3.resnets.2.norm2.bias",
        "decoder.up.1.block.0.nin_shortcut.weight, decoder.up_blocks.2.resnets.0.conv_shortcut.weight",
        "encoder.norm_out.weight, encoder.conv_norm_out.weight",
        "post_quant_conv.weight, post_quant_conv.weight"
    })
    void every_key_belongs_to_the_parameter_that_the_library_names(String key, String parameter) {
        Part part = OriginalAutoencoder.parts(SD).stream()
                .filter(one -> one.key().equals("first_stage_model." + key))
                .findFirst()
                .orElseThrow();
        assertThat(part.parameter()).isEqualTo(parameter);
        if (key.endsWith("attn_1.q.weight")) {
            assertThat(part.shape()).containsExactly(512, 512, 1, 1);
        }
    }

    @Test
    void what_is_written_is_read_back_from_a_whole_model_alone_and_from_a_pickle() throws IOException {
        AutoencoderFiles library = random(SMALL);
        try (TensorFile weights = library.open()) {
            TensorFile keys = library.original(weights, StableDiffusion.SD_2);
            Path whole = write(keys, "model.safetensors", key -> key, DENOISER);
            Path alone = write(keys, "ft-mse.safetensors", OriginalAutoencoderTest::bare, "loss.logvar");
            TorchWriter writer = new TorchWriter();
            keys.entries()
                    .forEach((name, entry) -> writer.add(
                            "state_dict." + bare(name),
                            Dtype.F32,
                            entry.shape(),
                            keys.values(name, 0, entry.elements(), Dtype.F32)));
            Path pickle = folder.resolve("kl-f8.ckpt");
            writer.write(pickle);
            for (Path file : List.of(whole, alone, pickle)) {
                AutoencoderFiles found = AutoencoderFiles.find(file);
                assertThat(found.spec()).isEqualTo(SMALL);
                assertThat(AutoencoderFiles.mayBe(file)).isEqualTo(!file.equals(whole));
                requireEqual(found, weights);
            }
            assertThat(AutoencoderFiles.find(whole).card().sha256())
                    .isEqualTo(AutoencoderFiles.find(alone).card().sha256())
                    .hasSize(64)
                    .isNotEqualTo(library.card().sha256());
        }
    }

    @Test
    void products_of_the_attention_may_be_linear_and_old_names_are_written_alike() throws IOException {
        AutoencoderFiles library = random(SMALL);
        try (TensorFile weights = library.open()) {
            SafetensorsWriter writer = new SafetensorsWriter();
            OriginalAutoencoder.parts(SMALL)
                    .forEach(part -> writer.add(
                            bare(part.key()),
                            Dtype.F32,
                            weights.entry(part.parameter()).shape(),
                            weights.values(
                                    part.parameter(),
                                    0,
                                    weights.entry(part.parameter()).elements(),
                                    Dtype.F32)));
            Path linear = folder.resolve("linear.safetensors");
            writer.write(linear);
            requireEqual(AutoencoderFiles.find(linear), weights);
            Path old = write(weights, "old.safetensors", name -> name.replace("to_q", "query")
                    .replace("to_out.0", "proj_attn"));
            try (TensorFile named = TensorFiles.open(old)) {
                Path file = write(
                        OriginalAutoencoder.keys(named, SMALL, StableDiffusion.SD_1), "again.safetensors", key -> key);
                requireEqual(AutoencoderFiles.find(file), weights);
            }
        }
    }

    @Test
    void latents_have_the_scale_of_the_model_around_them() throws IOException {
        AutoencoderFiles library = random(SMALL);
        try (TensorFile weights = library.open()) {
            TensorFile keys = library.original(weights, StableDiffusion.SD_1);
            LatentScale xl = LatentScale.of(0.13025);
            assertThat(AutoencoderFiles.find(write(keys, "model.safetensors", key -> key, DENOISER, XL))
                            .spec()
                            .scale())
                    .isEqualTo(xl);
            assertThat(AutoencoderFiles.find(write(keys, "sdxl_vae.safetensors", OriginalAutoencoderTest::bare))
                            .spec()
                            .scale())
                    .isEqualTo(xl);
            assertThatThrownBy(() -> library.original(weights, StableDiffusion.SDXL))
                    .hasMessageContaining("the original layout of Stable Diffusion XL has an AutoencoderKL")
                    .hasMessageContaining("scale=0.18215")
                    .hasMessageContaining("write a folder of the diffusers library instead");
        }
    }

    @Test
    void other_autoencoders_and_damaged_files_are_refused_by_what_they_hold() throws IOException {
        AutoencoderFiles library = random(SMALL);
        try (TensorFile weights = library.open()) {
            TensorFile keys = library.original(weights, StableDiffusion.SD_1);
            Path damaged = write(keys, "damaged.safetensors", key -> bare(key).replace("conv_out.b", "conv_out.c"));
            assertThatThrownBy(() -> AutoencoderFiles.find(damaged))
                    .hasMessageContaining("missing encoder.conv_out.bias, decoder.conv_out.bias")
                    .hasMessageContaining("unexpected encoder.conv_out.cias");
            Path other = write(weights, "other.safetensors", key -> key);
            assertThatThrownBy(() -> AutoencoderFiles.find(other))
                    .hasMessageContaining("other.safetensors is not an autoencoder")
                    .hasMessageContaining("or a file in the original layout");
        }
        KlSpec wide = new KlSpec(3, 16, List.of(32, 64), 1, 32, true, false, false, SMALL.scale());
        SafetensorsWriter writer = new SafetensorsWriter();
        OriginalAutoencoder.parts(wide)
                .forEach(part -> writer.add(
                        bare(part.key()),
                        part.shape(),
                        new float[(int) Arrays.stream(part.shape()).reduce(1, (a, b) -> a * b)]));
        Path file = folder.resolve("wide.safetensors");
        writer.write(file);
        assertThatThrownBy(() -> AutoencoderFiles.find(file))
                .hasMessageContaining("its latents have 16 channels")
                .hasMessageContaining("give a folder with config.json instead");
    }
}
