package dev.retort.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.ReferenceCase;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.GridSpec.End;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.TableGrid;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.text.ClipTokenizer;
import dev.retort.tokenizer.PublishedTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** U-Nets and pipelines of the Stable Diffusion family as other programs keep them. */
class UNetFilesTest {
    private static final ClipTokenizer TOKENIZER =
            ClipTokenizer.learn(List.of("a red cat", "a blue dog on a mat"), 60, 8);

    @TempDir
    Path temp;

    @Test
    void the_folders_that_the_library_saved_are_the_networks_of_the_reference() {
        Map<String, String> folders =
                Map.of("sd15", "UNet-8-16-24-24", "sdxl-like", "UNet-8-16-24", "lcm-bk", "UNet-8-16");
        folders.forEach((name, network) -> {
            Path folder = ReferenceCase.open("unet-sd").folder().resolve(name);
            ModelCard card = Models.card(folder);
            assertThat(card.network().name()).isEqualTo(network);
            UNetSpec spec = (UNetSpec) card.network();
            assertThat(spec.middle().isPresent()).isEqualTo(!name.equals("lcm-bk"));
            assertThat(spec.told().guidanceWidth()).isEqualTo(name.equals("lcm-bk") ? 16 : 0);
            assertThat(spec.told().pooled())
                    .isEqualTo(
                            name.equals("sdxl-like") ? Optional.of(new Pooled(16, Pooled.SIZES, 8)) : Optional.empty());
            try (Scope scope = Scope.open();
                    Pipeline<Network> loaded = Models.load(folder, Device.CPU);
                    TensorFile stored = TensorFiles.open(folder)) {
                assertThat(loaded.network().state().keySet())
                        .containsExactlyInAnyOrderElementsOf(stored.entries().keySet());
            }
        });
    }

    @Test
    void a_network_is_written_and_comes_back_whatever_its_shape() {
        Told text = Told.of(new Text(Text.CLIP_TOKENS, 12));
        UNetSpec plain = UNetSizes.of(new ImageShape(4, 8, 8), List.of(8, 16), 1, List.of(1, 2), 4, text);
        Told all = new Told(text.text(), Optional.of(new Pooled(10, Pooled.SIZES, 4)), 8);
        List<UNetSpec> shapes = List.of(
                plain,
                plain.with(new ImageShape(4, 8, 12)),
                plain.with(plain.levels(), Optional.empty()),
                plain.with(plain.levels(), Optional.of(new Middle(0))),
                // as SSD-1B: blocks of a level differ, and so do both ways
                plain.with(
                        List.of(
                                new Level(8, 2, List.of(0, 0), List.of(0, 0, 0)),
                                new Level(16, 4, List.of(2, 2), List.of(2, 1, 1)),
                                new Level(16, 4, List.of(4, 3), List.of(4, 4, 10))),
                        Optional.of(new Middle(4))),
                plain.with(
                        List.of(Level.of(8, 2, 2, 0), new Level(16, 4, List.of(0), List.of(3, 3))),
                        Optional.of(new Middle(2))),
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(8, 16), 1, List.of(1, 2), 4, all));
        for (int i = 0; i < shapes.size(); i++) {
            roundTrip(shapes.get(i), null, "unet" + i);
        }
    }

    @Test
    void a_network_whose_shape_the_library_cannot_say_is_refused_by_name() {
        UNetSpec spec =
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(8, 16), 1, List.of(1, 2), 4, Told.of(new Text(8, 12)));
        UNetSpec other = spec.with(spec.levels(), Optional.of(new Middle(5)));
        assertThatThrownBy(() -> roundTrip(other, null, "other"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("it has 5 and 2");
        assertThatThrownBy(() -> roundTrip(spec.withOutputs(2), null, "heads"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("one output where this network has 2");
    }

    @Test
    void a_pipeline_is_written_and_comes_back_with_its_encoders_tokenizers_and_scheduler() throws IOException {
        TextToImageSpec sd = new TextToImageSpec(
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(8, 16), 1, List.of(0, 1), 4, Told.of(new Text(8, 16))),
                List.of(encoder(16, 0, false)));
        TextToImageSpec xl = new TextToImageSpec(
                UNetSizes.of(
                        new ImageShape(4, 8, 8),
                        List.of(8, 16),
                        1,
                        List.of(0, 1),
                        4,
                        new Told(Optional.of(new Text(8, 24)), Optional.of(new Pooled(12, Pooled.SIZES, 4)), 0)),
                List.of(encoder(16, 0, true), encoder(8, 12, true)));
        Path one = roundTrip(sd, text(1), "sd");
        Path two = roundTrip(xl, text(2), "xl");
        assertThat(Files.readString(one.resolve("model_index.json"))).contains("\"StableDiffusionPipeline\"");
        assertThat(Files.readString(two.resolve("model_index.json")))
                .contains("\"StableDiffusionXLPipeline\"")
                .contains("CLIPTextModelWithProjection")
                .contains("tokenizer_2");
    }

    @Test
    void a_pipeline_is_written_into_one_file_and_comes_back_with_the_published_tokenizer() {
        ClipTextSpec encoder = new ClipTextSpec(
                PublishedTokenizer.VOCABULARY,
                77,
                64,
                128,
                1,
                1,
                ClipTextSpec.Activation.QUICK_GELU,
                1e-5,
                0,
                0,
                true,
                ClipTextSpec.LARGEST_ID);
        UNetSpec unet = new UNetSpec(
                new UNetSpec.Grid(new ImageShape(4, 64, 64), false, 1),
                List.of(Level.of(32, 8, 1, 1), Level.of(64, 8, 1, 0)),
                Optional.of(new Middle(1)),
                Told.of(new Text(Text.CLIP_TOKENS, 64)),
                UNetSpec.Convention.STABLE_DIFFUSION);
        TextCard text = new TextCard(List.of(), List.of(PublishedTokenizer.of(77, false)));
        for (String ending : List.of(".safetensors", ".ckpt")) {
            Path file = roundTrip(new TextToImageSpec(unet, List.of(encoder)), text, "model" + ending);
            assertThat(file).isRegularFile();
            try (TensorFile stored = TensorFiles.open(file)) {
                assertThat(stored.entries())
                        .containsKeys(
                                "model.diffusion_model.output_blocks.3.1.proj_out.weight",
                                "model.diffusion_model.output_blocks.1.1.conv.weight",
                                "cond_stage_model.transformer.text_model.final_layer_norm.bias",
                                "v_pred");
            }
        }
        roundTrip(unet, null, "unet.safetensors");
        UNetSpec seven = unet.with(List.of(Level.of(32, 4, 1, 1), Level.of(64, 8, 1, 0)), unet.middle());
        assertThatThrownBy(() -> roundTrip(seven, null, "seven.safetensors"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("level 0 with 4 heads for 32 channels");
    }

    @Test
    void what_is_not_built_is_refused_by_the_field_that_asks_for_it() throws IOException {
        assertRefused(
                json -> json.replace("\"dual_cross_attention\": false", "\"dual_cross_attention\": true"),
                "dual_cross_attention");
        assertRefused(
                json -> json.replace("\"class_embed_type\": null", "\"class_embed_type\": \"timestep\""),
                "class_embed_type");
        assertRefused(json -> json.replace("\"in_channels\": 4", "\"in_channels\": 9"), "in_channels is 9");
        assertRefused(
                json -> json.replace(
                        "\"resnet_time_scale_shift\": \"default\"", "\"resnet_time_scale_shift\": \"scale_shift\""),
                "resnet_time_scale_shift");
        assertRefused(json -> json.replace("\"norm_num_groups\": 8", "\"norm_num_groups\": 7"), "normGroups 7");
        assertRefused(json -> json.replaceFirst("CrossAttnDownBlock2D", "AttnDownBlock2D"), "AttnDownBlock2D");
        assertRefused(
                json -> json.replace("\"layers_per_block\": 2", "\"layers_per_block\": [2, 2]"), "layers_per_block");
    }

    private void assertRefused(UnaryOperator<String> change, String said) throws IOException {
        Path from = ReferenceCase.open("unet-sd").folder().resolve("sd15");
        Path to = Files.createDirectories(temp.resolve("changed" + said.hashCode()));
        String weights = "diffusion_pytorch_model.safetensors";
        Files.copy(from.resolve(weights), to.resolve(weights));
        String config = Files.readString(from.resolve("config.json"));
        String changed = change.apply(config);
        assertThat(changed).isNotEqualTo(config);
        Files.writeString(to.resolve("config.json"), changed);
        assertThatThrownBy(() -> Models.card(to))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(said);
    }

    private static ClipTextSpec encoder(int width, int projection, boolean xl) {
        ClipTextSpec spec = new ClipTextSpec(
                60,
                8,
                width,
                2 * width,
                2,
                2,
                ClipTextSpec.Activation.GELU,
                1e-5,
                projection,
                0,
                true,
                projection > 0 ? TOKENIZER.end() : ClipTextSpec.LARGEST_ID);
        return xl ? spec.handing(1, false) : spec;
    }

    private static TextCard text(int encoders) {
        return new TextCard(
                List.of(), IntStream.range(0, encoders).mapToObj(i -> TOKENIZER).toList());
    }

    /** Ours, theirs, and what is read of theirs: the same card and the same weights. */
    private Path roundTrip(NetworkSpec spec, TextCard text, String name) {
        Path ours = temp.resolve(name + "-ours");
        Path theirs = temp.resolve(name);
        ModelCard plain = ModelCard.of(
                spec,
                new ProcessSpec(new ScheduleSpec.ScaledLinear(), Prediction.V, 0),
                SamplingSpec.of("ddim", 50, name.equals("xl") ? 5 : 7.5)
                        .with(50, new TableGrid.Leading(1, false, End.LOWEST)),
                IntStream.range(0, spec.classes()).mapToObj(String::valueOf).toList(),
                "",
                0,
                0,
                "",
                Map.of());
        ModelCard card = text == null ? plain : plain.withText(text);
        WeightLayout<?> layout = Architectures.layout(spec, name.contains(".") ? "original" : "diffusers")
                .orElseThrow();
        try (Scope scope = Scope.open();
                Network network = Architectures.build(spec, Init.of(1, Device.CPU))) {
            Map<String, long[]> listed = Architectures.of(spec).parameters(spec);
            Map<String, long[]> built = Weights.shapes(network.state());
            assertThat(new ArrayList<>(listed.keySet())).isEqualTo(new ArrayList<>(built.keySet()));
            built.forEach((key, shape) -> assertThat(listed.get(key)).as(key).isEqualTo(shape));
            ModelFiles.save(ours, card, Weights.writer(network.state(), dev.retort.torch.Dtype.F32));
        }
        try (TensorFile file = TensorFiles.open(ours.resolve(ModelFiles.WEIGHTS))) {
            layout.write(theirs, card, file, Storage.of(Dtype.F32));
            try (Checkpoint checkpoint = Architectures.open(theirs, Hints.NONE)) {
                assertThat(checkpoint.card().network()).isEqualTo(spec);
                assertThat(new ArrayList<>(checkpoint.parameters().entries().keySet()))
                        .containsExactlyInAnyOrderElementsOf(file.entries().keySet());
                file.entries().keySet().forEach(key -> assertThat(
                                checkpoint.parameters().floats(key))
                        .as(key)
                        .isEqualTo(file.floats(key)));
                if (text != null) {
                    assertThat(checkpoint.card().text()).isEqualTo(text);
                    assertThat(checkpoint.card().process()).isEqualTo(card.process());
                    assertThat(checkpoint.card().sampling()).isEqualTo(card.sampling());
                }
            }
        }
        try (Pipeline<Denoiser> sampled = Models.open(theirs, Device.CPU, Precision.FP32)) {
            assertThat(sampled.card().network()).isEqualTo(spec);
        }
        return theirs;
    }
}
