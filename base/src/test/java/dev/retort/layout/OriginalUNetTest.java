package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.card.ImageShape;
import dev.retort.card.ProcessSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.diffusion.Prediction;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.io.TorchWriter;
import dev.retort.layout.WeightLayout.Part;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OriginalUNetTest {
    private static final UNetSpec SMALL_1 = small(
            List.of(Level.of(32, 8, 2, 1), Level.of(64, 8, 2, 1), Level.of(64, 8, 2, 0)),
            1,
            Told.of(new Text(77, 24)),
            false,
            64);
    private static final UNetSpec SMALL_2 = upcast(
            small(List.of(Level.of(64, 1, 1, 1), Level.of(128, 2, 1, 0)), 1, Told.of(new Text(77, 24)), true, 96));
    private static final UNetSpec SMALL_XL = small(
            List.of(Level.of(64, 1, 2, 0), Level.of(128, 2, 2, 2)),
            3,
            new Told(Optional.of(new Text(77, 24)), Optional.of(new Pooled(1280, 6, 256)), 0),
            true,
            128);

    @TempDir
    Path folder;

    private static UNetSpec small(List<Level> levels, int middle, Told told, boolean linear, int side) {
        return new UNetSpec(
                new Grid(new ImageShape(4, side, side), false, 1),
                levels,
                Optional.of(new Middle(middle)),
                told,
                linear ? Convention.STABLE_DIFFUSION.linear() : Convention.STABLE_DIFFUSION);
    }

    private static UNetSpec with(UNetSpec spec, Convention convention) {
        return new UNetSpec(spec.grid(), spec.levels(), spec.middle(), spec.told(), convention);
    }

    /** As Stable Diffusion 2.x is read: its attention overflows in fp16. */
    private static UNetSpec upcast(UNetSpec spec) {
        return with(spec, spec.convention().upcast());
    }

    /** SDXL's refiner as published: 384 channels, four transformer layers at the two middle sizes, four sizes and a score. */
    private static UNetSpec refiner() {
        return small(
                List.of(
                        Level.of(384, 6, 2, 0),
                        Level.of(768, 12, 2, 4),
                        Level.of(1536, 24, 2, 4),
                        Level.of(1536, 24, 2, 0)),
                4,
                new Told(Optional.of(new Text(77, 1280)), Optional.of(new Pooled(1280, 5, 256)), 0),
                true,
                128);
    }

    private static Map<String, TensorEntry> entries(UNetSpec spec) {
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        for (Part part : OriginalUNet.parts(spec)) {
            String name = part.key().substring(OriginalUNet.PREFIX.length());
            entries.put(name, new TensorEntry(name, Dtype.F16, part.shape()));
        }
        return entries;
    }

    private static UNetSpec read(UNetSpec spec) {
        return new OriginalUNetShapes(Path.of("model.safetensors"), entries(spec)).spec(1280);
    }

    /** A file with random parameters of a network, under our names. */
    private TensorFile random(UNetSpec spec) {
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(1);
        UNetLayers.of(spec).shapes().forEach((name, shape) -> {
            ByteBuffer bytes =
                    ByteBuffer.allocate((int) Dtype.F32.bytesOf(shape)).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                bytes.putFloat((float) random.nextGaussian());
            }
            writer.add(name, Dtype.F32, shape, bytes::flip);
        });
        Path file = folder.resolve("ours.safetensors");
        writer.write(file);
        return TensorFiles.open(file);
    }

    private static void requireEqual(TensorFile read, TensorFile written) {
        assertThat(List.copyOf(read.entries().keySet()))
                .containsExactlyElementsOf(written.entries().keySet());
        written.entries().forEach((name, entry) -> {
            assertThat(read.entry(name).shape()).as(name).isEqualTo(entry.shape());
            assertThat(read.floats(name)).as(name).isEqualTo(written.floats(name));
        });
    }

    private Path write(UNetSpec spec, TensorFile parameters, UnaryOperator<String> named, Map<String, String> header) {
        TensorFile keys = OriginalUNet.keys(parameters, spec);
        SafetensorsWriter writer = new SafetensorsWriter().metadata(header);
        keys.entries()
                .forEach((name, entry) -> writer.add(
                        named.apply(name),
                        Dtype.F32,
                        entry.shape(),
                        keys.values(name, 0, entry.elements(), Dtype.F32)));
        writer.add("model_ema.decay", new long[] {1}, new float[] {0.9999f});
        Path file = folder.resolve("model.safetensors");
        writer.write(file);
        return file;
    }

    @Test
    void every_published_parameter_has_one_key_of_the_same_shape() {
        Map<String, UNetSpec> lists = Map.of(
                "unet-sd15", UNetSizes.sd15(64), "unet-sd21", UNetSizes.sd21(96), "unet-sdxl", UNetSizes.sdxl(128));
        lists.forEach((list, spec) -> {
            JsonNode root = JsonMapper.shared()
                    .readTree(Shared.path("reference/shapes/" + list + ".json").toFile());
            Map<String, String> published = new LinkedHashMap<>();
            root.properties()
                    .forEach(entry -> published.put(
                            entry.getKey(), entry.getValue().get(0).toString()));
            List<Part> parts = OriginalUNet.parts(spec);
            assertThat(parts).extracting(Part::key).doesNotHaveDuplicates();
            assertThat(parts.stream().collect(Collectors.toMap(Part::parameter, part -> Arrays.toString(part.shape())
                            .replace(" ", ""))))
                    .as(list)
                    .isEqualTo(published);
        });
    }

    /** Lists of the keys of the published files of Stable Diffusion 1.5 and XL, sorted, one a line, made from other programs' tables. */
    @ParameterizedTest
    @CsvSource({
        "sd15, 686, a635fa777e57c17aa014b0cb53066680fbcafb6c4c219fe796c8b5415a059dcd",
        "sdxl, 1680, 3fb5dddfff0311c8acf5c94bf2de97aa66d64c3333c86c39916e4d08fa691c17"
    })
    void its_keys_are_exactly_those_of_the_published_files(String model, int count, String sha256) throws Exception {
        List<String> keys = OriginalUNet.parts(model.equals("sd15") ? UNetSizes.sd15(64) : UNetSizes.sdxl(128)).stream()
                .map(Part::key)
                .sorted()
                .toList();
        byte[] digest = MessageDigest.getInstance("SHA-256")
                .digest(String.join("\n", keys).getBytes(StandardCharsets.UTF_8));
        assertThat(keys).hasSize(count);
        assertThat(HexFormat.of().formatHex(digest)).isEqualTo(sha256);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            sd15 | input_blocks.0.0.weight | 320, 4, 3, 3
            sd15 | time_embed.2.bias | 1280
            sd15 | input_blocks.3.0.op.weight | 320, 320, 3, 3
            sd15 | input_blocks.4.0.skip_connection.weight | 640, 320, 1, 1
            sd15 | input_blocks.1.1.proj_in.weight | 320, 320, 1, 1
            sd15 | input_blocks.8.1.transformer_blocks.0.ff.net.0.proj.weight | 10240, 1280
            sd15 | middle_block.1.transformer_blocks.0.attn2.to_k.weight | 1280, 768
            sd15 | middle_block.2.emb_layers.1.weight | 1280, 1280
            sd15 | output_blocks.2.1.conv.weight | 1280, 1280, 3, 3
            sd15 | output_blocks.5.2.conv.weight | 1280, 1280, 3, 3
            sd15 | output_blocks.11.0.skip_connection.weight | 320, 640, 1, 1
            sd15 | out.2.weight | 4, 320, 3, 3
            sd21 | input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight | 320, 1024
            sd21 | input_blocks.1.1.proj_in.weight | 320, 320
            sdxl | label_emb.0.0.weight | 1280, 2816
            sdxl | label_emb.0.2.weight | 1280, 1280
            sdxl | input_blocks.4.1.transformer_blocks.1.attn2.to_k.weight | 640, 2048
            sdxl | input_blocks.8.1.transformer_blocks.9.norm3.weight | 1280
            sdxl | output_blocks.2.2.conv.weight | 1280, 1280, 3, 3
            sdxl | output_blocks.8.0.in_layers.2.weight | 320, 640, 3, 3
            refiner | label_emb.0.0.weight | 1536, 2560
            refiner | middle_block.1.transformer_blocks.3.attn1.to_q.weight | 1536, 1536
            """)
    void known_keys_of_the_published_files_are_there(String model, String key, String shape) {
        UNetSpec spec =
                switch (model) {
                    case "sd15" -> UNetSizes.sd15(64);
                    case "sd21" -> UNetSizes.sd21(96);
                    case "sdxl" -> UNetSizes.sdxl(128);
                    default -> refiner();
                };
        assertThat(Arrays.toString(entries(spec).get(key).shape())).isEqualTo("[" + shape + "]");
    }

    @Test
    void the_published_networks_are_told_by_their_shapes_alone() {
        assertThat(read(UNetSizes.sd15(64))).isEqualTo(UNetSizes.sd15(64));
        assertThat(read(UNetSizes.sd21(96))).isEqualTo(upcast(UNetSizes.sd21(96)));
        assertThat(read(UNetSizes.sdxl(128))).isEqualTo(UNetSizes.sdxl(128));
        assertThat(read(refiner())).isEqualTo(refiner());
        assertThat(List.of(UNetSizes.sd15(64), UNetSizes.sd21(96), UNetSizes.sdxl(128), refiner()))
                .allSatisfy(spec -> assertThat(OriginalUNet.refusal(spec)).isEmpty())
                .extracting(StableDiffusion::of)
                .containsExactly(StableDiffusion.values());
    }

    @Test
    void every_shape_of_network_that_is_not_refused_is_told_by_its_tensors() {
        Random random = new Random(5);
        int told = 0;
        for (int i = 0; i < 300; i++) {
            UNetSpec like = List.of(SMALL_1, SMALL_2, SMALL_XL).get(i % 3);
            boolean linear = like.convention().linearProjections();
            List<Level> levels = new ArrayList<>();
            for (int size = 1 + random.nextInt(4); levels.size() < size; ) {
                int channels = (linear ? 64 : 32) * (levels.isEmpty() ? 1 : 1 + random.nextInt(3));
                int heads = OriginalUNet.heads(channels, linear) * (random.nextInt(8) == 0 ? 2 : 1);
                levels.add(Level.of(channels, heads, 1 + random.nextInt(3), random.nextInt(3)));
            }
            UNetSpec spec = like.with(levels, random.nextInt(5) == 0 ? Optional.empty() : like.middle());
            if (OriginalUNet.refusal(spec).isEmpty()) {
                told++;
                List<Level> read = read(spec).levels();
                // heads of a level without transformer do nothing
                for (int j = 0; j < read.size(); j++) {
                    assertThat(read.get(j).down()).isEqualTo(levels.get(j).down());
                    assertThat(read.get(j).up()).isEqualTo(levels.get(j).up());
                    if (levels.get(j).down().get(0) > 0) {
                        assertThat(read.get(j)).isEqualTo(levels.get(j));
                    }
                }
                assertThat(entries(read(spec)).keySet()).isEqualTo(entries(spec).keySet());
                assertThat(read(spec).with(levels, spec.middle())).isEqualTo(spec);
            }
        }
        assertThat(told).isBetween(100, 290);
    }

    @Test
    void a_network_written_in_this_layout_is_read_back_with_equal_values() {
        for (UNetSpec spec : List.of(SMALL_1, SMALL_2, SMALL_XL)) {
            try (TensorFile parameters = random(spec)) {
                Path file = write(spec, parameters, UnaryOperator.identity(), Map.of());
                assertThat(OriginalUNetFile.is(file)).isTrue();
                try (OriginalUNetFile read = OriginalUNetFile.open(file, Hints.NONE)) {
                    assertThat(read.spec()).isEqualTo(spec);
                    requireEqual(read.parameters(), parameters);
                }
            }
        }
    }

    @Test
    void the_tensors_of_the_reference_networks_keep_their_values_under_the_keys_and_back() {
        UNetSpec sd15 = new UNetSpec(
                SMALL_1.grid(),
                List.of(Level.of(8, 4, 2, 1), Level.of(16, 4, 2, 1), Level.of(24, 4, 2, 1), Level.of(24, 4, 2, 0)),
                SMALL_1.middle(),
                Told.of(new Text(7, 20)),
                SMALL_1.convention().withGroups(8));
        UNetSpec sdxl = new UNetSpec(
                SMALL_XL.grid(),
                List.of(Level.of(8, 2, 2, 0), Level.of(16, 4, 2, 2), Level.of(24, 6, 2, 3)),
                SMALL_XL.middle(),
                new Told(Optional.of(new Text(7, 20)), Optional.of(new Pooled(16, 6, 8)), 0),
                SMALL_XL.convention().withGroups(4));
        Map.of("sd15", sd15, "sdxl-like", sdxl).forEach((name, spec) -> {
            try (TensorFile theirs = TensorFiles.open(Shared.path("reference/unet-sd/" + name))) {
                Path file = write(spec, theirs, UnaryOperator.identity(), Map.of());
                try (TensorFile written = TensorFiles.open(file)) {
                    List<Part> back = OriginalUNet.parts(spec).stream()
                            .map(part -> Part.whole(part.parameter(), part.key(), part.shape()))
                            .toList();
                    TensorFile read = new RowsView(written, back, written);
                    assertThat(read.entries().keySet())
                            .containsExactlyInAnyOrderElementsOf(
                                    theirs.entries().keySet());
                    theirs.entries()
                            .keySet()
                            .forEach(key -> assertThat(read.floats(key)).as(key).isEqualTo(theirs.floats(key)));
                }
            }
        });
    }

    @Test
    void what_training_wrapped_around_it_and_a_missing_prefix_are_taken_off() {
        try (TensorFile parameters = random(SMALL_1)) {
            Path bare = write(
                    SMALL_1,
                    parameters,
                    name -> "diffusion_model." + name.substring(OriginalUNet.PREFIX.length()),
                    Map.of());
            try (OriginalUNetFile read = OriginalUNetFile.open(bare, Hints.NONE)) {
                requireEqual(read.parameters(), parameters);
            }
            TensorFile keys = OriginalUNet.keys(parameters, SMALL_1);
            TorchWriter writer = new TorchWriter();
            keys.entries()
                    .forEach((name, entry) -> writer.add(
                            "state_dict." + name,
                            Dtype.F32,
                            entry.shape(),
                            keys.values(name, 0, entry.elements(), Dtype.F32)));
            writer.write(folder.resolve("last.ckpt"));
            try (OriginalUNetFile read = OriginalUNetFile.open(folder.resolve("last.ckpt"), Hints.NONE)) {
                assertThat(read.spec()).isEqualTo(SMALL_1);
                requireEqual(read.parameters(), parameters);
                assertThat(read.notes().get(0)).contains("of 'state_dict'");
            }
        }
    }

    @Test
    void what_a_file_says_of_its_process_and_size_is_followed_and_what_it_leaves_open_is_said() {
        try (TensorFile parameters = random(SMALL_2)) {
            ProcessSpec rescaled = StableDiffusion.process(Prediction.V, true);
            SingleFileFacts facts = SingleFileFacts.of(rescaled, new ImageShape(4, 48, 64));
            assertThat(facts.header())
                    .containsExactly(
                            Map.entry("modelspec.prediction_type", "v"), Map.entry("modelspec.resolution", "512x384"));
            assertThat(facts.markers()).containsExactly("v_pred", "ztsnr");
            Path silent = write(SMALL_2, parameters, UnaryOperator.identity(), Map.of());
            try (OriginalUNetFile read = OriginalUNetFile.open(silent, Hints.NONE)) {
                assertThat(read.process()).isEqualTo(StableDiffusion.process(Prediction.V, false));
                assertThat(read.notes())
                        .contains(
                                "took that it returns v and latents of 96x96, as usual for Stable Diffusion 2.x: the file"
                                        + " does not say");
            }
            Path noise = write(
                    SMALL_2,
                    parameters,
                    UnaryOperator.identity(),
                    Map.of("modelspec.architecture", "stable-diffusion-v2-512", "modelspec.resolution", "512x384"));
            try (OriginalUNetFile read = OriginalUNetFile.open(noise, Hints.NONE)) {
                assertThat(read.process()).isEqualTo(StableDiffusion.process(Prediction.EPSILON, false));
                assertThat(read.spec()).isEqualTo(SMALL_2.with(new ImageShape(4, 48, 64)));
                assertThat(read.notes()).noneMatch(note -> note.startsWith("took that"));
            }
            try (OriginalUNetFile read = OriginalUNetFile.open(noise, new Hints(0, 0, 24, null, List.of()))) {
                assertThat(read.spec()).isEqualTo(SMALL_2.with(new ImageShape(4, 24, 24)));
            }
        }
    }

    @Test
    void a_marker_of_v_and_rescaled_levels_is_read_as_other_programs_write_it() {
        try (TensorFile parameters = random(SMALL_XL)) {
            TensorFile keys = OriginalUNet.keys(parameters, SMALL_XL);
            SafetensorsWriter writer = new SafetensorsWriter();
            SingleFileFacts.MARKERS.forEach(marker -> writer.add(marker, new long[] {0}, new float[0]));
            keys.entries()
                    .forEach((name, entry) -> writer.add(
                            name.substring(OriginalUNet.PREFIX.length()),
                            Dtype.F32,
                            entry.shape(),
                            keys.values(name, 0, entry.elements(), Dtype.F32)));
            Path file = folder.resolve("v.safetensors");
            writer.write(file);
            try (OriginalUNetFile read = OriginalUNetFile.open(file, Hints.NONE)) {
                assertThat(read.process()).isEqualTo(StableDiffusion.process(Prediction.V, true));
                assertThat(read.sampling().grid().text()).isEqualTo("trailing");
            }
        }
    }

    @Test
    void a_cut_network_of_uneven_blocks_is_read_and_its_writing_refused_by_what_it_has() {
        UNetSpec uneven = SMALL_XL.with(
                List.of(Level.of(64, 1, 1, 0), new Level(128, 2, List.of(2, 1), List.of(1, 3, 2))),
                Optional.of(new Middle(0)));
        assertThat(read(uneven)).isEqualTo(uneven);
        assertThat(read(uneven.with(uneven.levels(), Optional.empty())))
                .isEqualTo(uneven.with(uneven.levels(), Optional.empty()));
        assertThat(OriginalUNet.refusal(uneven)).contains("a middle without transformer");
        assertThatThrownBy(() -> OriginalUNet.require(uneven.with(uneven.levels(), Optional.of(new Middle(1)))))
                .hasMessageContaining(
                        "the original program has no U-Net like UNet-64-128, which has level 1 with [2, 1]"
                                + " transformer layers on the way down and [1, 3, 2] on the way up");
    }

    @Test
    void a_network_that_its_file_would_be_taken_otherwise_for_is_not_written() {
        Map<String, UNetSpec> refused = new LinkedHashMap<>();
        refused.put(
                "no text to be told",
                new UNetSpec(SMALL_1.grid(), SMALL_1.levels(), SMALL_1.middle(), Told.NOTHING, SMALL_1.convention()));
        refused.put("the scale of guidance to be told", SMALL_1.with(new ScalarInputs(true, 0)));
        refused.put("8 channels out for 4 in", SMALL_1.withOutputs(2));
        refused.put(
                "norms of 16 groups, where it has 32",
                with(SMALL_1, SMALL_1.convention().withGroups(16)));
        refused.put(
                "level 0 with 4 heads for 32 channels, where it has 8 heads",
                SMALL_1.with(List.of(Level.of(32, 4, 1, 1)), SMALL_1.middle()));
        refused.put(
                "level 0 with 2 heads for 64 channels, where it has heads of width 64",
                SMALL_2.with(List.of(Level.of(64, 2, 1, 1)), SMALL_2.middle()));
        refused.put(
                "level 1 with 96 channels, where it has multiples of the first level's 64",
                SMALL_1.with(List.of(Level.of(64, 8, 1, 1), Level.of(96, 8, 1, 1)), SMALL_1.middle()));
        refused.forEach((what, spec) -> assertThat(OriginalUNet.refusal(spec)).contains(what));
        assertThatThrownBy(() -> SingleFileFacts.of(ProcessSpec.flow(), new ImageShape(4, 8, 8)))
                .hasMessageContaining("has flow and returns flow; write a folder of the diffusers library");
    }

    @Test
    void networks_of_other_kinds_and_damaged_files_are_refused_by_what_they_hold() {
        Map<String, TensorEntry> painting = entries(SMALL_1);
        painting.put("input_blocks.0.0.weight", new TensorEntry("x", Dtype.F16, new long[] {32, 9, 3, 3}));
        assertThatThrownBy(() -> new OriginalUNetShapes(Path.of("inpaint.ckpt"), painting).spec(1280))
                .hasMessageContaining(
                        "inpaint.ckpt cannot be read as a U-Net in the original layout: it takes 9 channels"
                                + " and returns 4");
        Map<String, TensorEntry> unclip = entries(SMALL_XL);
        unclip.put("label_emb.0.0.weight", new TensorEntry("x", Dtype.F16, new long[] {256, 2048}));
        assertThatThrownBy(() -> new OriginalUNetShapes(Path.of("unclip.ckpt"), unclip).spec(1280))
                .hasMessageContaining(
                        "takes 2048 values, expected a pooled text of width 1280 and 5 or 6 numbers of 256");
        Map<String, TensorEntry> narrow = entries(SMALL_1);
        narrow.put("input_blocks.1.0.out_layers.3.weight", new TensorEntry("x", Dtype.F16, new long[] {36, 36, 3, 3}));
        assertThatThrownBy(() -> new OriginalUNetShapes(Path.of("narrow.ckpt"), narrow).spec(1280))
                .hasMessageContaining(
                        "a level has 36 channels, which make no whole number of channels for each of 8 heads");
        try (TensorFile parameters = random(SMALL_1)) {
            Path file = write(SMALL_1, parameters, name -> name.replace("0.emb_layers.1.b", "0.other.b"), Map.of());
            assertThatThrownBy(() -> OriginalUNetFile.open(file, Hints.NONE))
                    .hasMessageContaining("missing input_blocks.1.0.emb_layers.1.bias")
                    .hasMessageContaining("unexpected input_blocks.1.0.other.bias");
            assertThatThrownBy(() -> OriginalUNetFile.open(parameters.path(), Hints.NONE))
                    .hasMessageContaining("it has no 'input_blocks.0.0.weight'");
            assertThat(OriginalUNetFile.is(parameters.path())).isFalse();
        }
    }
}
