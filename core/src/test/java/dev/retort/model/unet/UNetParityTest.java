package dev.retort.model.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Plain;
import dev.retort.ReferenceCase;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.Hints;
import dev.retort.layout.OriginalUNet;
import dev.retort.layout.OriginalUNetFile;
import dev.retort.model.Condition;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the outputs of diffusers' UNet2DConditionModel. */
class UNetParityTest {
    private static final UNetSpec SD_15 = new UNetSpec(
            new Grid(new ImageShape(4, 16, 16), false, 1),
            List.of(Level.of(8, 4, 2, 1), Level.of(16, 4, 2, 1), Level.of(24, 4, 2, 1), Level.of(24, 4, 2, 0)),
            Optional.of(new Middle(1)),
            Told.of(new Text(7, 20)),
            Convention.STABLE_DIFFUSION.withGroups(8));
    private static final UNetSpec SDXL = new UNetSpec(
            new Grid(new ImageShape(4, 16, 12), false, 1),
            List.of(Level.of(8, 2, 2, 0), Level.of(16, 4, 2, 2), Level.of(24, 6, 2, 3)),
            Optional.of(new Middle(3)),
            new Told(Optional.of(new Text(7, 20)), Optional.of(new Pooled(16, Pooled.SIZES, 8)), 0),
            Convention.STABLE_DIFFUSION.linear().withGroups(4));
    private static final UNetSpec LCM = new UNetSpec(
            new Grid(new ImageShape(4, 8, 8), false, 1),
            List.of(Level.of(8, 2, 1, 1), Level.of(16, 2, 1, 0)),
            Optional.empty(),
            new Told(Optional.of(new Text(7, 12)), Optional.empty(), 16),
            Convention.STABLE_DIFFUSION.withGroups(4));

    @Test
    void a_network_of_sd_1_equals_the_reference_behind_every_block() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet unet = load("sd15", SD_15)) {
            check(unet, "sd15-16x16.safetensors", "t", "");
            check(unet, "sd15-12x20.safetensors", "t", "");
            check(unet, "sd15-16x16.safetensors", "t_fractional", "fractional.");
        }
    }

    @Test
    void every_norm_has_the_eps_of_the_reference() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet scaled = load("sd15", SD_15);
                UNet small = load("sd15", SD_15)) {
            scale(scaled, "norm", false, x -> 0.03f);
            scale(small, "proj_in", true, x -> 0.01f);
            check(scaled, "sd15-scaled.safetensors", "t", "");
            check(small, "sd15-small-proj-in.safetensors", "t", "");
        }
    }

    @Test
    void a_network_of_sdxl_is_told_the_pooled_text_and_sizes() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet unet = load("sdxl-like", SDXL)) {
            check(unet, "sdxl-like.safetensors", "t", "");
        }
    }

    @Test
    void a_cut_network_is_told_the_scale_of_guidance() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet unet = load("lcm-bk", LCM)) {
            // The sine of 1000 times a scale is rounded by 2e-3 in fp32, which the case leaves out by giving the sines
            // themselves.
            ReferenceCase reference = ReferenceCase.open("unet-sd");
            Map<String, Tensor> io = reference.tensors("lcm-bk.safetensors");
            Tensor out = unet.forward(io.get("x"), io.get("t"), told(unet, io), Taps.none());
            assertThat(Plain.values(out)).containsExactly(Plain.values(io.get("out")), within(1e-4));
        }
    }

    @Test
    void its_tensors_are_those_that_the_spec_lists_in_that_order() {
        for (UNetSpec spec : List.of(SD_15, SDXL, LCM)) {
            try (Scope scope = Scope.open();
                    UNet unet = new UNet(spec, Init.blank(Device.CPU))) {
                Map<String, long[]> listed = UNetLayers.of(spec).shapes();
                Map<String, long[]> built = Weights.shapes(unet.state());
                assertThat(new ArrayList<>(built.keySet())).isEqualTo(new ArrayList<>(listed.keySet()));
                listed.forEach(
                        (name, shape) -> assertThat(built.get(name)).as(name).isEqualTo(shape));
            }
        }
    }

    @Test
    void packed_for_sampling_it_computes_the_same() {
        ReferenceCase reference = ReferenceCase.open("unet-sd");
        Map<String, Tensor> io;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet plain = load("sdxl-like", SDXL);
                UNet packed = UNet.pack(
                        SDXL,
                        (name, dtype) -> Ops.copy(Ops.detach(plain.state().get(name))),
                        Device.CPU,
                        Precision.FP32)) {
            io = reference.tensors("sdxl-like.safetensors");
            reference.check(
                    "sdxl-like.safetensors",
                    "out",
                    packed.forward(io.get("x"), io.get("t"), told(packed, io), Taps.none()));
        }
    }

    @Test
    void filled_from_a_file_in_the_original_layout_it_computes_the_same_bits(@TempDir Path folder) {
        UNetSpec spec = new UNetSpec(
                SD_15.grid(),
                List.of(Level.of(32, 8, 1, 1), Level.of(64, 8, 1, 0)),
                SD_15.middle(),
                SD_15.told(),
                Convention.STABLE_DIFFUSION);
        Path own = folder.resolve("own.safetensors");
        Path original = folder.resolve("original.safetensors");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet unet = new UNet(spec, Init.of(3, Device.CPU));
                UNet again = new UNet(spec, Init.blank(Device.CPU))) {
            unet.state()
                    .forEach((name, tensor) ->
                            tensor.copy_(Init.of(7, Device.CPU).normal(name, 0.1, Tensors.shape(tensor))));
            Weights.writer(unet.state(), Dtype.F32).write(own);
            try (TensorFile parameters = TensorFiles.open(own)) {
                TensorFile keys = OriginalUNet.keys(parameters, spec);
                SafetensorsWriter writer = new SafetensorsWriter();
                keys.entries()
                        .forEach((key, entry) -> writer.add(
                                key,
                                entry.dtype(),
                                entry.shape(),
                                keys.values(key, 0, entry.elements(), entry.dtype())));
                writer.write(original);
            }
            try (OriginalUNetFile file = OriginalUNetFile.open(original, Hints.NONE)) {
                assertThat(file.spec().levels()).isEqualTo(spec.levels());
                Weights.fill(again, file.parameters());
            }
            ReferenceCase reference = ReferenceCase.open("unet-sd");
            Map<String, Tensor> io = reference.tensors("sd15-16x16.safetensors");
            float[] out = Tensors.floats(unet.forward(io.get("x"), io.get("t"), told(unet, io), Taps.none()));
            assertThat(out)
                    .isEqualTo(Tensors.floats(again.forward(io.get("x"), io.get("t"), told(again, io), Taps.none())));
        }
    }

    private static UNet load(String folder, UNetSpec spec) {
        UNet unet = new UNet(spec, Init.blank(Device.CPU));
        try (TensorFile file =
                TensorFiles.open(ReferenceCase.open("unet-sd").folder().resolve(folder))) {
            Weights.fill(unet, file);
        }
        return unet;
    }

    private static void scale(UNet unet, String part, boolean has, DoubleUnaryOperator factor) {
        unet.state().forEach((name, tensor) -> {
            if (name.contains(part) == has) {
                Ops.mulInPlace(tensor, factor.applyAsDouble(0));
            }
        });
    }

    private static Condition told(UNet unet, Map<String, Tensor> io) {
        Map<Part, Tensor> parts = new EnumMap<>(Part.class);
        parts.put(Part.TEXT, io.get("text"));
        if (io.containsKey("text_embeds")) {
            parts.put(Part.POOLED, io.get("text_embeds"));
            parts.put(Part.TIME_IDS, io.get("time_ids"));
        }
        if (io.containsKey("w")) {
            parts.put(Part.GUIDANCE, Ops.add(io.get("w"), 1));
        }
        return Condition.of(parts);
    }

    private static void check(UNet unet, String file, String time, String prefix) {
        ReferenceCase reference = ReferenceCase.open("unet-sd");
        Map<String, Tensor> io = reference.tensors(file);
        int levels = unet.spec().levels().size();
        List<String> names = new ArrayList<>(List.of("mid_block"));
        for (int i = 0; i < levels; i++) {
            names.add("down_blocks." + i);
            names.add("up_blocks." + i);
        }
        Taps taps = Taps.of(names);
        Tensor out = unet.forward(io.get("x"), io.get(time), told(unet, io), taps);
        reference.check(file, prefix + "out", out);
        for (int i = 0; i < levels && prefix.isEmpty(); i++) {
            for (String way : List.of("down", "up")) {
                if (io.containsKey(way + "." + i)) {
                    reference.check(file, way + "." + i, taps.get(way + "_blocks." + i));
                }
            }
        }
        if (io.containsKey("mid") && prefix.isEmpty()) {
            reference.check(file, "mid", taps.get("mid_block"));
        }
    }
}
