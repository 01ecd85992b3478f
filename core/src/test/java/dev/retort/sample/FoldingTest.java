package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TrainedFor;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A student of few steps with a table in place of what makes its modulations draws the same pictures. */
class FoldingTest {
    private static final int CLASSES = 4;
    private static final DitSpec SPEC = new DitSpec(8, 8, 1, 2, 48, 2, 3, 4, CLASSES, 0.1, false, false);
    private static final int[] ALL = {0, 1, 2, 3, 3, 1, 0};

    @TempDir
    private Path temp;

    private static SamplingSpec euler(int steps, double guidance) {
        return SamplingSpec.of("flow-euler", steps, guidance);
    }

    private static TrainedFor steps(SamplingSpec sampling) {
        return TrainedFor.steps(sampling.steps(), sampling, 1);
    }

    private Path model(String name, DitSpec spec, SamplingSpec sampling, TrainedFor trained, Dtype dtype) {
        List<String> classes =
                IntStream.range(0, spec.classes()).mapToObj(i -> "c" + i).toList();
        ModelCard card = ModelCard.of(spec, ProcessSpec.flow(), sampling, classes, "shapes", 0, 1, "", Map.of())
                .withTrainedFor(trained);
        Path folder = temp.resolve(name);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            Init init = Init.of(7, Device.CPU);
            dit.parameters().forEach((key, p) -> p.copy_(init.normal(key, 0.1, Tensors.shape(p))));
            ModelFiles.save(folder, card, Weights.writer(dit.state(), dtype));
        }
        return folder;
    }

    private Path folded(Path model, Dtype dtype) {
        Path folder = temp.resolve(model.getFileName() + "-folded-" + dtype);
        Folding.fold(model, folder, dtype);
        return folder;
    }

    private static float[] drawn(Path model, SamplingSpec sampling, int... labels) {
        try (Scope scope = Scope.open();
                Pipeline<Denoiser> loaded = Models.open(model, Device.CPU, Precision.FP32)) {
            Sampler sampler = Sampling.sampler(loaded.network(), loaded.card(), sampling, Precision.FP32);
            return Tensors.floats(sampler.sample(
                    new Prompts.Labels(labels),
                    5,
                    IntStream.range(0, labels.length).asLongStream().toArray()));
        }
    }

    private static long bytes(Path model) throws Exception {
        return Files.size(model.resolve(ModelFiles.WEIGHTS));
    }

    @Test
    void pixels_are_the_same_to_the_last_bit_in_every_number_of_steps_guided_or_not_and_the_file_is_smaller()
            throws Exception {
        for (int steps : new int[] {1, 2, 4}) {
            for (double guidance : new double[] {1, 2.5}) {
                SamplingSpec sampling = euler(steps, guidance);
                Path model = model(steps + "-" + guidance, SPEC, sampling, steps(sampling), Dtype.F32);
                Path small = folded(model, Dtype.F32);
                assertThat(drawn(small, sampling, ALL)).isEqualTo(drawn(model, sampling, ALL));
                FoldedDitSpec spec = (FoldedDitSpec) ModelFiles.card(small).network();
                assertThat(spec.labels()).hasSize(CLASSES + (guidance == 1 ? 0 : 1));
                assertThat(spec.times()).hasSize(steps);
                // 48 wide: 14 modulations of 48·49 values, embedders 256·48 + 48² + 2·48 + 5·48, for 14·48 values a row
                assertThat(spec.parameters() - SPEC.parameters())
                        .isEqualTo(14L * 48 * spec.rows() - 14 * 48 * 49 - (256 * 48 + 48 * 48 + 2 * 48 + 5 * 48));
                assertThat(bytes(model) - bytes(small)).isBetween(100_000L, 200_000L);
                assertThat(spec.macs()).isEqualTo(SPEC.macs() - 14 * 48 * 48 - 256 * 48 - 48 * 48);
            }
        }
    }

    @Test
    void whichever_classes_are_asked_and_of_its_domain_alone_the_pixels_are_the_same() {
        SamplingSpec sampling = euler(2, 1);
        Path model = model("domain", SPEC, sampling, steps(sampling).ofClasses(List.of(1, 3)), Dtype.F32);
        Path small = folded(model, Dtype.F32);
        assertThat(((FoldedDitSpec) ModelFiles.card(small).network()).labels()).containsExactly(1, 3);
        for (int[] labels : new int[][] {{3}, {1, 3, 1}}) {
            sameBytes(drawn(small, sampling, labels), drawn(model, sampling, labels));
        }
    }

    /** A product of other rows together may round another way. */
    private static void sameBytes(float[] found, float[] expected) {
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).isCloseTo(expected[i], within(1e-5f));
            assertThat(Math.round(127.5f * found[i])).isEqualTo(Math.round(127.5f * expected[i]));
        }
    }

    @Test
    void several_heads_a_time_to_land_at_and_the_modern_variant_fold_alike() {
        SamplingSpec parallel = SamplingSpec.of("parallel-euler", 4, 1);
        TrainedFor both = steps(parallel).and(steps(parallel.withSteps(2)));
        Path heads = model("heads", SPEC.withOutputs(4), parallel, both, Dtype.F32);
        Path small = folded(heads, Dtype.F32);
        assertThat(((FoldedDitSpec) ModelFiles.card(small).network()).times()).hasSize(4);
        for (int steps : new int[] {2, 4}) {
            SamplingSpec sampling = parallel.withSteps(steps);
            sameBytes(drawn(small, sampling, ALL), drawn(heads, sampling, ALL));
        }
        SamplingSpec map = SamplingSpec.of("flow-map", 2, 1);
        Path landing = model("map", SPEC.with(new ScalarInputs(false, 1000)), map, steps(map), Dtype.F32);
        assertThat(drawn(folded(landing, Dtype.F32), map, ALL)).isEqualTo(drawn(landing, map, ALL));
        DitSpec modern = new DitSpec(8, 8, 1, 2, 48, 2, 3, 4, CLASSES, 0, false, true);
        Path other = model("modern", modern, map.with(euler(1, 1).solver()), steps(euler(2, 1)), Dtype.F32);
        assertThat(drawn(folded(other, Dtype.F32), euler(2, 1), ALL)).isEqualTo(drawn(other, euler(2, 1), ALL));
    }

    @Test
    void in_half_the_bytes_it_differs_by_no_more_than_the_rounding_of_its_values() throws Exception {
        SamplingSpec sampling = euler(2, 1);
        Path half = model("half", SPEC, sampling, steps(sampling), Dtype.F16);
        float[] expected = drawn(half, sampling, ALL);
        assertThat(drawn(folded(half, Dtype.F32), sampling, ALL))
                .as("of the rounded weights, not rounded again")
                .isEqualTo(expected);
        Path small = folded(half, Dtype.F16);
        float[] found = drawn(small, sampling, ALL);
        double worst = 0;
        for (int i = 0; i < found.length; i++) {
            worst = Math.max(worst, Math.abs(found[i] - expected[i]));
        }
        assertThat(worst).isBetween(1e-7, 1.0 / 127.5);
        assertThat(bytes(half) - bytes(small)).isBetween(50_000L, 100_000L);
    }

    @Test
    void one_evaluation_at_the_times_of_the_table_says_the_same_and_other_times_and_labels_are_refused_by_name() {
        SamplingSpec sampling = euler(2, 1);
        Path model = model("once", SPEC, sampling, steps(sampling), Dtype.F32);
        Path small = folded(model, Dtype.F32);
        try (Scope scope = Scope.open();
                Pipeline<Denoiser> whole = Models.open(model, Device.CPU, Precision.FP32);
                Pipeline<Denoiser> table = Models.open(small, Device.CPU, Precision.FP32)) {
            Tensor x = Plain.tensor(Plain.normal(2, 1, 2 * 64), 2, 1, 8, 8);
            Tensor times = Tensors.of(new double[] {1000, 500}, Device.CPU);
            float[] expected = Tensors.floats(whole.network().forward(x, times, Conditions.classes(1, 2), Taps.none()));
            assertThat(Tensors.floats(table.network().forward(x, times, Conditions.classes(1, 2), Taps.none())))
                    .containsExactly(expected, within(1e-5f));
            Tensor others = Tensors.of(new double[] {1000, 499}, Device.CPU);
            assertThatThrownBy(() -> table.network().forward(x, others, Conditions.classes(1, 2), Taps.none()))
                    .hasMessageContaining("was asked at time 499.0, but its table has the times [1000.0, 500.0] alone");
            assertThatThrownBy(() -> table.network().forward(x, times, Conditions.classes(1, 4), Taps.none()))
                    .hasMessageContaining("no class, as for guidance, but its table has the labels [0, 1, 2, 3] alone");
        }
        assertThatThrownBy(() -> drawn(small, euler(4, 1), ALL)).hasMessageContaining("trained for 2 steps alone");
        assertThatThrownBy(() -> drawn(small, euler(2, 3), ALL)).hasMessageContaining("no class, as for guidance");
    }

    @Test
    void it_can_be_neither_trained_nor_cut_nor_folded_again_nor_folded_where_its_times_are_not_few() {
        SamplingSpec sampling = euler(2, 1);
        Path model = model("few", SPEC, sampling, steps(sampling), Dtype.F32);
        Path small = folded(model, Dtype.F32);
        assertThatThrownBy(() -> Models.load(small, Device.CPU))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("neither trained nor cut")
                .hasMessageContaining("give the model that it was folded from");
        NetworkSpec spec = ModelFiles.card(small).network();
        assertThatThrownBy(() -> Architectures.surgery(spec, SPEC)).hasMessageContaining("neither trained nor cut");
        refused(small, "it is folded already");
        refused(model("any", SPEC, sampling, TrainedFor.ANY, Dtype.F32), "trained for any way of sampling");
        refused(model("jumps", SPEC, sampling, TrainedFor.jumps(sampling, 1), Dtype.F32), "any number of steps");
        refused(
                model("told", SPEC.with(new ScalarInputs(true, 0)), sampling, steps(sampling), Dtype.F32),
                "told its guidance, any number");
    }

    private void refused(Path model, String why) {
        assertThatThrownBy(() -> Folding.fold(model, temp.resolve("out"), Dtype.F32))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.USAGE))
                .hasMessageContaining("cannot be folded")
                .hasMessageContaining(why);
        assertThat(temp.resolve("out")).doesNotExist();
    }
}
