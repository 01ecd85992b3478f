package dev.retort.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.QuantizationSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.Prompts;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.QuantizationReport.Fate;
import dev.retort.quantize.QuantizationReport.LayerReport;
import dev.retort.report.Progress;
import dev.retort.sample.Folding;
import dev.retort.sample.Sampling;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs again as on a CPU with AVX2 and no more. */
@Tag("kernels")
class QuantizerTest {
    private static final DitSpec SPEC = new DitSpec(8, 8, 1, 2, 64, 2, 4, 4, 3, 0.1, false, false);

    @TempDir
    private Path temp;

    private static SamplingSpec euler(int steps, double guidance) {
        return SamplingSpec.of("flow-euler", steps, guidance);
    }

    private Path model(String name, DitSpec spec, SamplingSpec sampling, TrainedFor trained) {
        return LoudModel.write(temp.resolve(name), spec, sampling, trained);
    }

    private Path fewSteps() {
        return model("few", SPEC, euler(2, 1), TrainedFor.steps(2, euler(2, 1), 1));
    }

    private Path guided() {
        return model("guided", SPEC, euler(4, 2), TrainedFor.ANY);
    }

    private static QuantizationReport quantise(Path model, Path out, String preset, String... set) {
        List<String> overrides = new ArrayList<>(List.of("calibration.samples=8", "weights.others=fp32"));
        overrides.addAll(List.of(set));
        return new Quantizer(model, QuantizeRecipe.of(preset, overrides), note -> {}, Progress.NONE).run(out);
    }

    private static float[] drawn(Path model, Precision precision) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pipeline<Denoiser> loaded = Models.open(model, Device.CPU, precision)) {
            return Tensors.floats(Sampling.sampler(
                            loaded.network(), loaded.card(), loaded.card().sampling(), precision)
                    .sample(new Prompts.Labels(new int[] {0, 1, 2, 0, 1, 2, 0, 1}), 0, new long[] {
                        0, 1, 2, 3, 4, 5, 6, 7
                    }));
        }
    }

    private static double relative(float[] found, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < found.length; i++) {
            difference += Math.pow(found[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / norm);
    }

    @ParameterizedTest
    @CsvSource({"int8-dynamic, 0.15", "int8-static, 0.15", "w8, 0.05", "w4, 0.5"})
    void what_is_written_samples_as_it_was_measured_and_is_smaller(String preset, double most) throws Exception {
        for (Path model : List.of(fewSteps(), guided())) {
            Path out = temp.resolve(model.getFileName() + "-" + preset);
            QuantizationReport report = quantise(model, out, preset, "budget.output=0");
            double sampled = relative(drawn(out, Precision.FP32), drawn(model, Precision.FP32));
            assertThat(report.errors().sample())
                    .isCloseTo(sampled, within(1e-5))
                    .isBetween(1e-4, most);
            assertThat(report.bytes()).isEqualTo(Files.size(out.resolve(ModelFiles.WEIGHTS)));
            assertThat(report.bytes()).isLessThan(report.bytesBefore() * 7 / 10);
            assertThat(report.layers())
                    .filteredOn(layer -> layer.fate() == Fate.QUANTISED)
                    .hasSize(8);
            assertThat(relative(drawn(out, Precision.BF16), drawn(model, Precision.FP32)))
                    .isLessThan(most + 0.1);
            try (Scope scope = Scope.open();
                    Pipeline<Network> origin = Models.load(model, Device.CPU);
                    Pipeline<Network> widened = Models.load(out, Device.CPU)) {
                String fc2 = "blocks.1.mlp.fc2.weight"; // which nothing is folded into
                assertThat(relative(
                                Tensors.floats(widened.network().state().get(fc2)),
                                Tensors.floats(origin.network().state().get(fc2))))
                        .isBetween(1e-3, preset.equals("w4") ? 0.2 : 0.02);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true", "true, true"})
    void what_is_folded_changes_no_output(boolean modern, boolean table) {
        DitSpec spec = new DitSpec(8, 8, 1, 2, 64, 2, 4, 4, 3, 0.1, false, modern);
        Path model = model("plain", spec, euler(2, 1), TrainedFor.steps(2, euler(2, 1), 1));
        if (table) {
            Path folded = temp.resolve("folded");
            Folding.fold(model, folded, Dtype.F32);
            model = folded;
        }
        ModelCard card = Models.card(model);
        CalibrationConfig config = new CalibrationConfig(8, 0, "");
        try (Scope scope = Scope.open();
                Pipeline<Denoiser> origin = Models.open(model, Device.CPU, Precision.FP32)) {
            Map<String, Tensor> weights = Weights.read(model.resolve(ModelFiles.WEIGHTS), Device.CPU);
            List<States> states = States.drawn(origin.network(), card, config);
            Sensitivity sensitivity = new Sensitivity(card, Candidate.source(weights), states);
            Map<String, LayerInputs> inputs = Calibration.of(Candidate.source(weights), card, states);
            double before = spread(inputs.get("blocks.1.attn.qkv").largest());
            List<String> all = List.copyOf(inputs.keySet());
            assertThat(Architectures.of(card.network()).dividable(card.network()))
                    .hasSize(modern ? 8 : 6)
                    .isSubsetOf(all);
            SmoothQuant.apply(card.network(), weights, inputs, all, 0.7);
            assertThat(sensitivity.output(Candidate.source(weights))).isLessThan(1e-5);
            inputs = Calibration.of(Candidate.source(weights), card, states);
            assertThat(spread(inputs.get("blocks.1.attn.qkv").largest())).isLessThan(modern ? before : before / 2);
        }
    }

    private static double spread(float[] largest) {
        double most = 0;
        double mean = 0;
        for (float value : largest) {
            most = Math.max(most, value);
            mean += value / largest.length;
        }
        return most / mean;
    }

    @Test
    void a_student_of_few_steps_has_a_range_for_each_and_one_of_many_a_range_for_each_run_of_steps() {
        assumeThat(IntegerProduct.possible()).isTrue();
        Path few = temp.resolve("few-int8");
        quantise(fewSteps(), few, "int8-static");
        assertThat(ModelFiles.card(few).quantization().times()).containsExactly(1000.0, 500.0);
        Path many = temp.resolve("many-int8");
        quantise(guided(), many, "int8-static", "activations=static:ranges=2");
        assertThat(ModelFiles.card(many).quantization().times()).hasSize(4);
        try (Scope scope = Scope.open()) {
            float[] scales = Tensors.floats(
                    Weights.read(many.resolve(ModelFiles.WEIGHTS), Device.CPU).get("blocks.1.mlp.fc2.input_scale"));
            assertThat(scales).hasSize(4);
            assertThat(scales[0]).isEqualTo(scales[1]).isNotEqualTo(scales[2]);
            assertThat(scales[2]).isEqualTo(scales[3]);
        }
    }

    @Test
    void the_layers_that_do_most_harm_keep_their_bits_until_the_budget_holds() {
        Path model = fewSteps();
        QuantizationReport all = quantise(model, temp.resolve("all"), "w4", "budget.output=0", "weights.group=0");
        double budget = all.errors().output() * 0.9;
        QuantizationReport some =
                quantise(model, temp.resolve("some"), "w4", "budget.output=" + budget, "weights.group=0");
        assertThat(some.errors().output()).isLessThanOrEqualTo(budget);
        List<String> raised = some.layers().stream()
                .filter(layer -> layer.fate() == Fate.RAISED)
                .map(LayerReport::name)
                .toList();
        List<String> worst = all.layers().stream()
                .filter(layer -> layer.fate() == Fate.QUANTISED)
                .sorted(Comparator.comparingDouble((LayerReport layer) -> -layer.error()))
                .map(LayerReport::name)
                .limit(raised.size())
                .toList();
        assertThat(raised).isNotEmpty().containsExactlyInAnyOrderElementsOf(worst);
        assertThat(some.spec().layers()).doesNotContainAnyElementsOf(raised);
        assertThat(some.bytes()).isGreaterThan(all.bytes());
        assertThatThrownBy(() -> quantise(model, temp.resolve("none"), "w4", "budget.output=1e-9"))
                .hasMessageContaining("budget");
        assertThat(temp.resolve("none")).doesNotExist();
    }

    @Test
    void states_of_a_cache_serve_as_well_as_drawn_ones_but_not_those_of_another_size() {
        Path model = guided();
        Path cache = temp.resolve("cache");
        new TrajectoryRecording(model, "guided", euler(4, 2), 0, 8, 8, 8, Device.CPU)
                .run(cache, Map.of(), note -> {}, Progress.NONE, () -> false);
        QuantizationReport drawn = quantise(model, temp.resolve("drawn"), "int8-static");
        QuantizationReport cached =
                quantise(model, temp.resolve("cached"), "int8-static", "calibration.trajectories=" + cache);
        assertThat(cached.errors().output()).isCloseTo(drawn.errors().output(), within(0.02));
        DitSpec larger = new DitSpec(16, 16, 1, 4, 64, 1, 4, 4, 3, 0.1, false, false);
        Path other = model("larger", larger, euler(4, 2), TrainedFor.ANY);
        assertThatThrownBy(() -> quantise(other, temp.resolve("x"), "w8", "calibration.trajectories=" + cache))
                .hasMessageContaining("are of 1 x 8 x 8 values, and the model's of 1 x 16 x 16");
    }

    @Test
    void what_cannot_be_quantised_is_refused_by_name() {
        Path model = fewSteps();
        Path out = temp.resolve("out");
        assertThatThrownBy(() -> quantise(model, out, "w8", "keep.0=blocks.0.atn.qkv"))
                .hasMessageContaining("blocks.0.atn.qkv")
                .hasMessageContaining("blocks.0.attn.qkv");
        assertThatThrownBy(() -> quantise(model, out, "w8", "weights.bits=5"))
                .hasMessageContaining("weights.bits is 5, expected 8 or 4");
        assertThatThrownBy(() -> quantise(model, out, "w4", "weights.group=48"))
                .hasMessageContaining("weights.group is 48, which does not divide the 64 inputs of blocks.0.attn.qkv")
                .hasMessageContaining("32");
        assertThatThrownBy(() -> quantise(model, out, "int8-static", "weights.bits=4"))
                .hasMessageContaining("weights.bits is 4, expected 8 where activations are rounded too");
        quantise(model, out, "w8");
        assertThatThrownBy(() -> quantise(out, temp.resolve("twice"), "w8"))
                .hasMessageContaining("is quantised (8-bit weights) and cannot be quantised again");
    }

    @Test
    void a_file_of_8_bit_weights_is_refused_where_they_saturate_and_one_of_7_is_not() {
        assumeThat(IntegerProduct.possible()).isTrue();
        Path model = fewSteps();
        Path any = temp.resolve("any");
        quantise(model, any, "int8-dynamic", "isa=any");
        assertThat(ModelFiles.card(any).quantization().largest()).isEqualTo(63);
        if (!IntegerProduct.saturates()) {
            quantise(model, temp.resolve("vnni"), "int8-dynamic", "isa=here");
            assertThat(ModelFiles.card(temp.resolve("vnni")).quantization().isa())
                    .isEqualTo(QuantizationSpec.Isa.VNNI);
            return;
        }
        assertThatThrownBy(() -> quantise(model, temp.resolve("x"), "int8-dynamic", "isa=vnni"))
                .hasMessageContaining("would saturate");
        ModelCard card = ModelFiles.card(any);
        QuantizationSpec spec = card.quantization();
        QuantizationSpec vnni = new QuantizationSpec(
                8, 0, spec.activations(), QuantizationSpec.Isa.VNNI, 0, List.of(), spec.layers(), Map.of());
        Path elsewhere = temp.resolve("elsewhere");
        try (Scope scope = Scope.open()) {
            ModelFiles.save(
                    elsewhere,
                    card.withQuantization(vnni),
                    Weights.writer(Weights.read(any.resolve(ModelFiles.WEIGHTS), Device.CPU), vnni, Dtype.F32));
        }
        assertThatThrownBy(() -> Models.open(elsewhere, Device.CPU, Precision.FP32))
                .hasMessageContaining("its products would saturate");
    }
}
