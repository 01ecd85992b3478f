package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.ReferenceCase;
import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.TapPoint;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From a file to the network. */
class DitCheckpointTest {
    private static final Hints THREE_HEADS = new Hints(3, 0, 0, null, List.of());

    @TempDir
    Path folder;

    private static Dit network(DitCheckpoint checkpoint) {
        return (Dit) Models.network(checkpoint.spec(), checkpoint.parameters(), Device.CPU);
    }

    private static Dit prepared(DitCheckpoint checkpoint) {
        return (Dit) Models.packed(checkpoint.spec(), checkpoint.parameters(), Device.CPU, Precision.FP32);
    }

    @ParameterizedTest
    @CsvSource({
        "bare.pt, out",
        "legacy.pt, out",
        "model.safetensors, out",
        "module-prefix.pt, out",
        "module-prefix.safetensors, out",
        "train.pt, out",
        "bf16.pt, out_bf16",
        "bf16.safetensors, out_bf16",
        "fp16.pt, out_fp16",
        "fp16.safetensors, out_fp16"
    })
    void every_form_of_the_originals_weights_computes_as_the_original(String file, String output) {
        ReferenceCase reference = ReferenceCase.open("dit-facebook");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                DitCheckpoint checkpoint =
                        DitCheckpoint.open(reference.folder().resolve("weights").resolve(file), THREE_HEADS)) {
            assertThat(checkpoint.spec()).isEqualTo(new DitSpec(8, 8, 4, 2, 36, 3, 3, 4, 10, 0.1, true, false));
            assertThat(checkpoint.layout()).isEqualTo(DitLayout.ORIGINAL);
            Map<String, Tensor> io = reference.tensors("io.safetensors");
            try (Dit dit = network(checkpoint);
                    Dit sampling = prepared(checkpoint)) {
                for (Network network : List.of(dit, sampling)) {
                    Tensor out = network.forward(
                            io.get("x"), Dtype.F32.cast(io.get("t")), Conditions.classes(io.get("y")), Taps.none());
                    reference.check("io.safetensors", output, out);
                }
            }
        }
    }

    @Test
    void a_network_without_variance_and_null_class_computes_as_the_original() {
        ReferenceCase reference = ReferenceCase.open("dit-facebook");
        Path file = reference.folder().resolve("weights/plain.pt");
        assertThatThrownBy(() -> DitCheckpoint.open(file, Hints.NONE)).hasMessageContaining("give the number of heads");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                DitCheckpoint checkpoint = DitCheckpoint.open(file, new Hints(2, 3, 0, null, List.of()));
                Dit dit = network(checkpoint)) {
            assertThat(checkpoint.spec()).isEqualTo(new DitSpec(8, 8, 4, 4, 32, 1, 2, 4, 3, 0, false, false));
            Map<String, Tensor> io = reference.tensors("plain.safetensors");
            Taps taps = Taps.of(List.of("tokens", "blocks.0"));
            Tensor out = dit.forward(io.get("x"), Dtype.F32.cast(io.get("t")), Conditions.classes(io.get("y")), taps);
            reference.check("plain.safetensors", "out", out);
            reference.check("plain.safetensors", "tokens", taps.get("tokens"));
            reference.check("plain.safetensors", "block.0", taps.get("blocks.0"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"transformer", "transformer-sharded"})
    void folders_of_the_diffusers_library_compute_as_that_library(String name) {
        ReferenceCase reference = ReferenceCase.open("dit-diffusers");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                DitCheckpoint checkpoint = DitCheckpoint.open(reference.folder().resolve(name), Hints.NONE)) {
            assertThat(checkpoint.layout()).isEqualTo(DitLayout.DIFFUSERS);
            assertThat(checkpoint.spec().convention()).isEqualTo(DitConvention.DIFFUSERS);
            assertThat(checkpoint.card().sampling().guidanceChannels()).isZero();
            Map<String, Tensor> io = reference.tensors("io.safetensors");
            try (Dit dit = network(checkpoint);
                    Dit sampling = prepared(checkpoint)) {
                Taps taps =
                        Taps.of(dit.spec().taps().stream().map(TapPoint::name).toList());
                Tensor out =
                        dit.forward(io.get("x"), Dtype.F32.cast(io.get("t")), Conditions.classes(io.get("y")), taps);
                reference.check("io.safetensors", "out", out);
                for (int i = 0; i < 3; i++) {
                    reference.check("io.safetensors", "block." + i, taps.get("blocks." + i));
                }
                Tensor prepared = sampling.forward(
                        io.get("x"), Dtype.F32.cast(io.get("t")), Conditions.classes(io.get("y")), Taps.none());
                reference.check("io.safetensors", "out", prepared);
            }
        }
    }

    @Test
    void the_same_weights_with_the_other_eps_compute_as_the_library_with_that_eps() {
        ReferenceCase reference = ReferenceCase.open("dit-diffusers");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                DitCheckpoint checkpoint = DitCheckpoint.open(reference.folder().resolve("transformer"), Hints.NONE);
                Dit loaded = network(checkpoint);
                Dit dit = new Dit(loaded.spec().with(new DitConvention(1, 1e-6)), Init.blank(Device.CPU))) {
            assertThat(dit.load(loaded.state())).isEmpty();
            Map<String, Tensor> io = reference.tensors("io.safetensors");
            Tensor out =
                    dit.forward(io.get("x"), Dtype.F32.cast(io.get("t")), Conditions.classes(io.get("y")), Taps.none());
            reference.check("io.safetensors", "out_eps1e-6", out);
        }
    }

    private static final DitSpec TINY = new DitSpec(4, 4, 2, 2, 8, 2, 2, 4, 3, 0.1, false, false);

    /** A tiny network with values everywhere, in the original's keys. */
    private Path tiny(Map<String, long[]> change, String... without) {
        SafetensorsWriter writer = new SafetensorsWriter();
        Map<String, long[]> shapes = new LinkedHashMap<>(DitLayout.parameters(TINY));
        shapes.putAll(change);
        for (String name : without) {
            shapes.remove(name);
        }
        int phase = 0;
        for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
            long count = 1;
            for (long size : entry.getValue()) {
                count *= size;
            }
            double start = phase++;
            float[] values = new float[(int) count];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.3 * Math.sin(0.7 * i + start));
            }
            writer.add(entry.getKey(), entry.getValue(), values);
        }
        Path file = folder.resolve("tiny-" + change.size() + "-" + without.length + ".safetensors");
        writer.write(file);
        return file;
    }

    private static Hints tinyHints(DitFamily family, String... allowed) {
        return new Hints(2, 0, 0, family, List.of(allowed));
    }

    @Test
    void names_that_are_missing_unexpected_or_mis_shaped_are_listed_and_refused_unless_allowed_by_name() {
        Path file = tiny(
                Map.of("extra.weight", new long[] {2}, "blocks.1.attn.proj.bias", new long[] {9}),
                "blocks.0.attn.proj.bias");
        assertThatThrownBy(() -> DitCheckpoint.open(file, tinyHints(null)))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining(file.toString())
                .hasMessageContaining("missing blocks.0.attn.proj.bias")
                .hasMessageContaining("unexpected extra.weight")
                .hasMessageContaining("mis-shaped blocks.1.attn.proj.bias of shape [9], expected [8]");
        Path other = tiny(Map.of("extra.weight", new long[] {2}));
        assertThatThrownBy(() -> DitCheckpoint.open(other, tinyHints(null, "other.*")))
                .hasMessageContaining("unexpected extra.weight");
        for (String allowed : List.of("extra.weight", "extra.*")) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(other, tinyHints(null, allowed));
                    Dit dit = network(checkpoint)) {
                assertThat(dit.spec()).isEqualTo(TINY);
            }
        }
    }

    @Test
    void a_missing_tensor_that_is_allowed_is_zero_and_said_so() {
        Path file = tiny(Map.of(), "blocks.0.attn.proj.bias");
        try (Scope scope = Scope.open();
                DitCheckpoint checkpoint = DitCheckpoint.open(file, tinyHints(null, "blocks.0.attn.proj.bias"));
                Dit dit = network(checkpoint)) {
            assertThat(checkpoint.notes()).containsExactly("took zeros for the missing blocks.0.attn.proj.bias");
            assertThat(Tensors.floats(dit.state().get("blocks.0.attn.proj.bias")))
                    .containsOnly(0);
        }
    }

    @Test
    void a_position_table_that_the_file_lacks_is_computed() {
        Path with = tiny(Map.of());
        Path without = tiny(Map.of(), "pos_embed");
        assertThatThrownBy(() -> DitCheckpoint.open(without, tinyHints(null)))
                .hasMessageContaining("it has no 'pos_embed'")
                .hasMessageContaining("give that size");
        Hints told = new Hints(2, 0, TINY.height(), null, List.of());
        try (Scope scope = Scope.open();
                DitCheckpoint checkpoint = DitCheckpoint.open(without, told);
                Dit dit = network(checkpoint);
                Dit fresh = new Dit(TINY, Init.of(1, Device.CPU))) {
            assertThat(checkpoint.spec()).isEqualTo(TINY);
            assertThat(checkpoint.notes()).singleElement().asString().contains("computed the position table of 4x4");
            assertThat(Tensors.floats(dit.state().get("pos_embed")))
                    .isEqualTo(Tensors.floats(fresh.state().get("pos_embed")));
        }
        assertThatThrownBy(() -> DitCheckpoint.open(with, new Hints(2, 0, 8, null, List.of())))
                .hasMessageContaining("its position table is for 4x4, not for the size of 8");
    }

    @Test
    void the_average_of_a_training_file_is_read_with_what_compilation_put_into_names() {
        SafetensorsWriter writer = new SafetensorsWriter();
        DitLayout.parameters(TINY).forEach((name, shape) -> {
            int count = (int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            String compiled = name.replaceFirst("^blocks\\.(\\d)\\.", "blocks.$1._orig_mod.");
            float[] ones = new float[count];
            java.util.Arrays.fill(ones, 1);
            writer.add("model." + compiled, shape, new float[count]);
            writer.add("ema." + compiled, shape, ones);
        });
        writer.add("losses", new long[] {3}, new float[3]);
        Path file = folder.resolve("train.safetensors");
        writer.write(file);
        try (Scope scope = Scope.open();
                DitCheckpoint checkpoint = DitCheckpoint.open(file, tinyHints(null));
                Dit dit = network(checkpoint)) {
            assertThat(dit.spec()).isEqualTo(TINY);
            assertThat(Tensors.floats(dit.state().get("blocks.1.attn.qkv.weight")))
                    .containsOnly(1);
            assertThat(checkpoint.notes()).hasSize(2).last().asString().contains("of 'ema' of");
        }
    }

    @Test
    void projectors_make_a_repa_network_and_are_left_out() {
        Path file = tiny(Map.of("projectors.0.0.weight", new long[] {4, 8}));
        try (DitCheckpoint checkpoint = DitCheckpoint.open(file, tinyHints(null))) {
            assertThat(checkpoint.trainedBy()).isEqualTo(DitFamily.REPA.name());
            assertThat(checkpoint.card().process().schedule()).isEqualTo(new ScheduleSpec.Flow(1));
            assertThat(checkpoint.notes()).singleElement().asString().contains("left out the projectors");
        }
    }

    @Test
    void a_sit_network_asked_in_our_direction_answers_as_in_its_own() {
        Path file = tiny(Map.of());
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                DitCheckpoint plain = DitCheckpoint.open(file, tinyHints(DitFamily.DIT));
                DitCheckpoint turned = DitCheckpoint.open(file, tinyHints(DitFamily.SIT));
                Dit theirs = network(plain);
                Dit ours = network(turned);
                Dit sampling = prepared(turned)) {
            Tensor x = Tensors.of(wave(3 * 2 * 16), Device.CPU, 3, 2, 4, 4);
            Condition label = Conditions.classes(0, 1, 3);
            Tensor time = Tensors.of(new float[] {0.1f, 0.5f, 0.9f}, Device.CPU, 3);
            Tensor reversed = Tensors.of(new float[] {0.9f, 0.5f, 0.1f}, Device.CPU, 3);
            float[] expected = Tensors.floats(theirs.forward(x, reversed, label, Taps.none()));
            for (Network network : List.of(ours, sampling)) {
                float[] got = Tensors.floats(network.forward(x, time, label, Taps.none()));
                for (int i = 0; i < got.length; i++) {
                    assertThat(got[i]).isCloseTo(-expected[i], org.assertj.core.api.Assertions.within(2e-5f));
                }
            }
        }
    }

    @Test
    void embedders_that_differ_between_blocks_are_refused() throws Exception {
        Path pipeline = folder.resolve("pipeline");
        ModelCard card = ModelCard.of(
                TINY,
                ProcessSpec.ddpm(),
                SamplingSpec.of("ddim", 10, 1),
                List.of("a", "b", "c"),
                "",
                0,
                0,
                "",
                Map.of());
        try (TensorFile own = TensorFiles.open(tiny(Map.of()))) {
            DitLayout.DIFFUSERS.write(pipeline, card, own, Storage.of(dev.retort.io.Dtype.F32));
        }
        Path weights = pipeline.resolve("transformer/diffusion_pytorch_model.safetensors");
        try (DitCheckpoint read = DitCheckpoint.open(pipeline, Hints.NONE)) {
            assertThat(read.card().classes()).containsExactly("a", "b", "c");
        }
        SafetensorsWriter changed = new SafetensorsWriter();
        try (TensorFile file = TensorFiles.open(weights)) {
            for (TensorEntry entry : file.entries().values()) {
                float[] values = file.floats(entry.name());
                if (entry.name().equals("transformer_blocks.1.norm1.emb.timestep_embedder.linear_2.bias")) {
                    values[3] += 1;
                }
                changed.add(entry.name(), entry.shape(), values);
            }
        }
        changed.write(weights);
        assertThatThrownBy(() -> DitCheckpoint.open(pipeline, Hints.NONE))
                .hasMessageContaining("transformer_blocks.0.norm1.emb.timestep_embedder.linear_2.bias")
                .hasMessageContaining("transformer_blocks.1.norm1.emb.timestep_embedder.linear_2.bias' differ");
    }

    @Test
    void the_list_of_parameters_is_that_of_the_network_in_its_order() {
        for (boolean modern : new boolean[] {false, true}) {
            DitSpec spec = new DitSpec(8, 12, 3, 2, 48, 2, 3, 4, 5, 0.1, true, modern);
            try (Scope scope = Scope.open();
                    Dit dit = new Dit(spec, Init.of(0, Device.CPU))) {
                Map<String, long[]> network = Weights.shapes(dit.state());
                Map<String, long[]> listed = DitLayout.parameters(spec);
                assertThat(new ArrayList<>(listed.keySet())).isEqualTo(new ArrayList<>(network.keySet()));
                listed.forEach((name, shape) -> assertThat(shape).as(name).isEqualTo(network.get(name)));
            }
        }
    }

    @Test
    void other_files_are_no_dit() throws Exception {
        Path file = folder.resolve("other.safetensors");
        new SafetensorsWriter().add("conv.weight", new long[] {1}, new float[1]).write(file);
        assertThatThrownBy(() -> DitCheckpoint.open(file, Hints.NONE)).hasMessageContaining("is not a known DiT");
    }

    private static float[] wave(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) Math.sin(0.1 * i);
        }
        return values;
    }
}
