package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.ReferenceCase;
import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.card.TapPoint;
import dev.retort.model.Condition;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("kernels")
class DitParityTest {
    private static final DitSpec REFERENCE = new DitSpec(8, 8, 4, 2, 36, 3, 3, 4, 10, 0.1, true, false);

    @Test
    void forward_and_every_block_equal_the_reference() {
        ReferenceCase reference = ReferenceCase.open("dit-facebook");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = reference.load(new Dit(REFERENCE, Init.of(0, Device.CPU)), "weights/model.safetensors")) {
            Map<String, Tensor> io = reference.tensors("io.safetensors");
            List<String> names = new ArrayList<>(List.of("tokens", "final_tokens"));
            for (int i = 0; i < 3; i++) {
                names.addAll(List.of("blocks." + i, "blocks." + i + ".attn", "blocks." + i + ".mlp"));
            }
            Taps taps = Taps.of(names);
            Tensor out = dit.forward(io.get("x"), floating(io.get("t")), Conditions.classes(io.get("y")), taps);
            reference.check("io.safetensors", "out", out);
            for (String name : names) {
                reference.check("io.safetensors", name.replace("blocks", "block"), taps.get(name));
            }
            Taps small = Taps.of(REFERENCE.taps().stream().map(TapPoint::name).toList());
            Tensor outSmall =
                    dit.forward(io.get("x"), floating(io.get("t_small")), Conditions.classes(io.get("y")), small);
            reference.check("io.safetensors", "small_t.out", outSmall);
            for (int i = 0; i < 3; i++) {
                reference.check("io.safetensors", "small_t.block." + i, small.get("blocks." + i));
            }
            Tensor fractional =
                    dit.forward(io.get("x"), io.get("t_fractional"), Conditions.classes(io.get("y")), Taps.none());
            reference.check("io.safetensors", "out_fractional", fractional);
        }
    }

    @Test
    void checkpointing_changes_neither_output_nor_gradients() {
        DitSpec spec = REFERENCE;
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, Init.of(3, Device.CPU))) {
            randomise(dit);
            Tensor x = Tensors.of(wave(2 * 4 * 64), Device.CPU, 2, 4, 8, 8);
            Tensor t = Tensors.of(new float[] {3, 400}, Device.CPU, 2);
            Condition y = Conditions.classes(1, 10);
            float[][] seen = new float[2][];
            for (int i = 0; i < 2; i++) {
                dit.recompute(i == 1);
                Taps taps = Taps.of(List.of("blocks.1", "blocks.0.attn"));
                Tensor out = dit.forward(x, t, y, taps);
                Tensor loss = out.square()
                        .mean()
                        .add(taps.get("blocks.1").square().mean())
                        .add(taps.get("blocks.0.attn").square().mean());
                loss.backward();
                List<Tensor> gradients = new ArrayList<>(List.of(out.flatten()));
                dit.parameters().values().forEach(p -> {
                    gradients.add(p.grad().flatten().clone());
                    p.mutable_grad().zero_();
                });
                seen[i] = Tensors.floats(Ops.cat(0, gradients.toArray(Tensor[]::new)));
            }
            double worst = 0;
            for (int i = 0; i < seen[0].length; i++) {
                worst = Math.max(worst, Math.abs(seen[1][i] - seen[0][i]) / (1e-3 + Math.abs(seen[0][i])));
            }
            // Only the order in which a sum of gradients is added up differs.
            assertThat(worst).isLessThan(1e-4);
        }
    }

    @Test
    void a_fresh_network_outputs_zero() {
        try (Scope scope = Scope.open();
                Dit dit = new Dit(REFERENCE, Init.of(5, Device.CPU))) {
            Tensor out = dit.forward(
                    Tensors.of(wave(256), Device.CPU, 1, 4, 8, 8),
                    Tensors.of(new float[] {9}, Device.CPU, 1),
                    Conditions.classes(2),
                    Taps.none());
            assertThat(Tensors.floats(out)).containsOnly(0f);
        }
    }

    @Test
    void the_published_sizes_have_the_published_counts() {
        assertThat(DitSizes.paper("DiT-XL/2", 32).macs()).isCloseTo(118_640_000_000L, withinPercent());
        assertThat(DitSizes.paper("DiT-S/8", 32).macs()).isCloseTo(360_000_000L, withinTwoPercent());
        try (Scope scope = Scope.open();
                Dit dit = new Dit(DitSizes.paper("DiT-S/2", 32), Init.of(0, Device.CPU))) {
            assertThat(dit.stateCount()).isEqualTo(32_963_360L);
            assertThat(dit.spec().parameters()).isEqualTo(dit.parameterCount());
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 12, false, false", "8, 12, true, false", "12, 8, true, true"})
    void both_variants_on_rectangles_equal_the_papers_formulas_in_double(
            int height, int width, boolean modern, boolean learnSigma) {
        DitSpec spec = new DitSpec(height, width, 3, 2, 48, 2, 3, 4, 5, 0.1, learnSigma, modern);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            randomise(dit);
            assertThat(spec.parameters()).isEqualTo(dit.parameterCount());
            double[] pictures = Plain.normal(2, 1, 2 * 3 * height * width);
            double[] times = {3.5, 310};
            int[] labels = {0, 5};
            Tensor out = dit.forward(
                    Plain.tensor(pictures, 2, 3, height, width),
                    Tensors.of(times, Device.CPU),
                    Conditions.classes(labels),
                    Taps.none());
            assertThat(Tensors.shape(out)).containsExactly(2, spec.outChannels(), height, width);
            PlainDit plain = new PlainDit(dit);
            int in = pictures.length / 2;
            int each = spec.outChannels() * height * width;
            for (int i = 0; i < 2; i++) {
                double[] expected =
                        plain.forward(Arrays.copyOfRange(pictures, i * in, (i + 1) * in), times[i], labels[i]);
                double[] found = Arrays.copyOfRange(Plain.values(out), i * each, (i + 1) * each);
                assertThat(Plain.error(found, expected)).isLessThan(1e-4);
            }
        }
    }

    private static org.assertj.core.data.Percentage withinPercent() {
        return org.assertj.core.data.Percentage.withPercentage(0.1);
    }

    private static org.assertj.core.data.Percentage withinTwoPercent() {
        return org.assertj.core.data.Percentage.withPercentage(2);
    }

    private static Tensor floating(Tensor t) {
        return dev.retort.torch.Dtype.F32.cast(t);
    }

    /** Gives the zero-initialised layers values too, so that everything takes part. */
    static void randomise(Dit dit) {
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(77, Device.CPU);
            dit.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.1, Tensors.shape(p))));
        }
    }

    static float[] wave(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) Math.sin(0.1 * i);
        }
        return values;
    }
}
