package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.card.ImageShape;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.LoraFile;
import dev.retort.layout.LoraLayout;
import dev.retort.layout.LoraPair;
import dev.retort.layout.WeightedLora;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Network;
import dev.retort.model.Request;
import dev.retort.pipeline.Loras;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stages in which adapters learn. */
class LoraStageTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final DitConfig SIZE = new DitConfig("2x24x2/4", 2, 0.1, true);

    @TempDir
    static Path temp;

    static Path teacher;

    /** An average of decay 0 is the weights themselves. */
    private static RunConfig run() {
        return new RunConfig(
                3,
                8,
                new DataConfig.Shapes("train", 16, true),
                new OptimizerConfig(1e-2, "constant", 0, 0.9, 0.99, 1e-8, 0.05, 1),
                new EmaConfig(List.of(0.0)),
                new ComputeConfig("cpu", "fp32", false, 0, 1, 1),
                new LogConfig(8, 0, 1, 32),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(64, SIZE, FLOW, run());
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static StageConfig stage(String name, LoraConfig lora, String... trains) {
        return new StageConfig(
                name,
                32,
                List.of(new LossConfig.Diffusion(LossWeight.ONE)),
                "",
                Optional.empty(),
                List.of(trains),
                Optional.ofNullable(lora));
    }

    private static Path distil(String name, StageConfig... stages) {
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                SIZE,
                new StudentStart.Cut(),
                FLOW,
                List.of(stages),
                run());
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Set<String> differing(SafetensorsFile a, SafetensorsFile b) {
        Set<String> names = new TreeSet<>();
        a.entries().keySet().forEach(name -> {
            if (!Arrays.equals(a.floats(name), b.floats(name))) {
                names.add(name);
            }
        });
        return names;
    }

    @Test
    void adapters_alone_learn_and_the_student_is_a_plain_model_whose_weights_have_moved_by_their_product() {
        Path student = distil("attention", stage("only", new LoraConfig(1, 3, List.of("attn"))));
        Path saved =
                new RunFolder(temp.resolve("attention")).newest().orElseThrow().resolve(RunFolder.TRAINING);
        try (SafetensorsFile before = SafetensorsFile.open(teacher.resolve("model.safetensors"));
                SafetensorsFile after = SafetensorsFile.open(student.resolve("model.safetensors"));
                SafetensorsFile training = SafetensorsFile.open(saved)) {
            assertThat(after.entries().keySet()).isEqualTo(before.entries().keySet());
            assertThat(differing(before, after))
                    .containsExactly(
                            "blocks.0.attn.proj.weight",
                            "blocks.0.attn.qkv.weight",
                            "blocks.1.attn.proj.weight",
                            "blocks.1.attn.qkv.weight");
            String name = "blocks.1.attn.qkv";
            float[] base = before.floats(name + ".weight");
            float[] merged = after.floats(name + ".weight");
            float[] a = training.floats("model." + name + ".lora_A.weight"); // (1, 24)
            float[] b = training.floats("model." + name + ".lora_B.weight"); // (72, 1)
            assertThat(training.floats("model." + name + ".weight")).isEqualTo(base);
            double largest = 0;
            for (int i = 0; i < base.length; i++) {
                double product = 3.0 * b[i / a.length] * a[i % a.length];
                largest = Math.max(largest, Math.abs(product));
                assertThat((double) merged[i]).isEqualTo(base[i] + product, within(1e-7));
            }
            assertThat(largest).isGreaterThan(1e-3);
        }
    }

    @Test
    void without_targets_they_are_on_all_products_of_the_blocks_and_the_next_stage_trains_merged_weights()
            throws Exception {
        distil("usual", stage("adapted", new LoraConfig(2, 2, List.of())));
        Path saved = new RunFolder(temp.resolve("usual")).newest().orElseThrow().resolve(RunFolder.TRAINING);
        try (SafetensorsFile training = SafetensorsFile.open(saved)) {
            assertThat(training.entries().keySet().stream()
                            .filter(name -> name.matches("model\\..*lora_A.weight"))
                            .map(name -> name.replaceAll("model\\.|\\.lora_A.weight", "")))
                    .containsExactlyInAnyOrder(
                            "blocks.0.attn.qkv",
                            "blocks.0.attn.proj",
                            "blocks.0.mlp.w12",
                            "blocks.0.mlp.w3",
                            "blocks.0.adaLN_modulation.1",
                            "blocks.1.attn.qkv",
                            "blocks.1.attn.proj",
                            "blocks.1.mlp.w12",
                            "blocks.1.mlp.w3",
                            "blocks.1.adaLN_modulation.1");
        }
        Path merged = distil("merged", stage("adapted", new LoraConfig(2, 2, List.of())), stage("head", null, "final"));
        try (SafetensorsFile before =
                        SafetensorsFile.open(temp.resolve("usual/model").resolve("model.safetensors"));
                SafetensorsFile after = SafetensorsFile.open(merged.resolve("model.safetensors"))) {
            assertThat(differing(before, after)).isNotEmpty().allMatch(name -> name.startsWith("final_layer."));
        }
        Path last = new RunFolder(temp.resolve("merged")).newest().orElseThrow().resolve(RunFolder.TRAINING);
        try (SafetensorsFile training = SafetensorsFile.open(last)) {
            assertThat(training.entries().keySet()).noneMatch(name -> name.contains("lora"));
        }
    }

    @Test
    void the_adapter_is_a_file_too_and_applied_to_the_teacher_computes_what_the_student_does() {
        Path student = distil("filed", stage("only", new LoraConfig(2, 3, List.of())));
        Path adapter = new RunFolder(temp.resolve("filed")).adapter();
        try (LoraFile file = LoraFile.open(adapter)) {
            assertThat(file.layouts()).containsExactly(LoraLayout.PEFT);
            assertThat(file.pairs()).hasSize(10).allSatisfy(pair -> {
                assertThat(pair.rank()).isEqualTo(2);
                assertThat(pair.norm()).isGreaterThan(0);
            });
            assertThat(file.denoiser()).isEqualTo("transformer");
        }
        List<WeightedLora> whole = List.of(new WeightedLora(adapter, 1));
        List<WeightedLora> halves = List.of(new WeightedLora(adapter, 0.25), new WeightedLora(adapter, 0.75));
        assertThat(output(teacher, whole)).containsExactly(output(student, List.of()), within(2e-5f));
        assertThat(output(teacher, halves)).containsExactly(output(student, List.of()), within(2e-5f));
        assertThat(output(student, List.of(new WeightedLora(adapter, -1))))
                .containsExactly(output(teacher, List.of()), within(2e-5f));
        assertThat(largest(output(teacher, List.of()), output(student, List.of())))
                .isGreaterThan(1e-3f);
    }

    @Test
    void merging_and_extracting_undo_each_other() {
        Path student = distil("extracted", stage("only", new LoraConfig(2, 3, List.of())));
        Path out = temp.resolve("extracted.safetensors");
        Loras.Extracted extracted = Loras.extract(teacher, student, 3, out);
        assertThat(extracted.modules()).isEqualTo(10);
        assertThat(extracted.without()).isEmpty();
        assertThat(extracted.leftOut()).isZero();
        assertThat(extracted.kept().get(0)).isBetween(0.4, 1.0);
        assertThat(extracted.kept().get(1)).isCloseTo(1, within(1e-6)); // what was trained has rank 2
        Path merged = temp.resolve("merged-again");
        assertThat(Loras.merge(teacher, List.of(new WeightedLora(out, 1)), merged))
                .containsExactly(out + ": 10 of 10 modules, rank 3, weight 1.0");
        assertThat(output(merged, List.of())).containsExactly(output(student, List.of()), within(2e-5f));
        Path back = temp.resolve("back");
        Loras.merge(merged, List.of(new WeightedLora(out, -1)), back);
        assertThat(output(back, List.of())).containsExactly(output(teacher, List.of()), within(2e-5f));
    }

    @Test
    void an_adapter_beside_trained_weights_is_said_to_be_none_of_its_own() {
        List<String> said = new ArrayList<>();
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                SIZE,
                new StudentStart.Cut(),
                FLOW,
                List.of(stage("head", null, "final"), stage("adapted", new LoraConfig(2, 2, List.of()))),
                run());
        Path folder = temp.resolve("second");
        Distillation.run(recipe, folder, Map.of(), said::add, (d, t, s) -> {}, () -> false);
        assertThat(said).anyMatch(sentence -> sentence.contains("written merged alone"));
        assertThat(new RunFolder(folder).adapter()).doesNotExist();
    }

    @Test
    void an_adapter_that_does_not_fit_opens_nothing() {
        Path wrong = temp.resolve("wrong.safetensors");
        LoraLayout.PEFT.write(
                wrong,
                "transformer",
                List.of(LoraPair.of(
                        "blocks.7.attn.qkv", new long[] {1, 24}, new float[24], new long[] {72, 1}, new float[72])));
        List<WeightedLora> adapters = List.of(new WeightedLora(wrong, 1));
        assertThatThrownBy(() -> Models.open(teacher, adapters, Device.CPU, Precision.FP32))
                .hasMessageContaining("has no layer 'blocks.7.attn.qkv' (the nearest is 'blocks.0.attn.qkv')");
        Path out = temp.resolve("not-there");
        assertThatThrownBy(() -> Loras.merge(teacher, adapters, out)).hasMessageContaining("1 of its 1 modules");
        assertThat(out).doesNotExist();
    }

    /** What a model answers to fixed noise, by the packed network and by the plain one, which must agree. */
    private static float[] output(Path model, List<WeightedLora> adapters) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pipeline<Denoiser> packed = Models.open(model, adapters, Device.CPU, Precision.FP32);
                Pipeline<Network> plain = Models.load(model, adapters, Device.CPU)) {
            ImageShape of = packed.card().network().shape();
            float[] values = new float[2 * of.values()];
            Rng.at(7, Purpose.NOISE, 0, 0).fillGaussian(values);
            Tensor x = Tensors.of(values, Device.CPU, 2, of.channels(), of.height(), of.width());
            float[] ofPacked = answer(packed.network(), x);
            assertThat(answer(plain.network(), x)).containsExactly(ofPacked, within(2e-5f));
            return ofPacked;
        }
    }

    private static float[] answer(Denoiser network, Tensor x) {
        try (Request request = network.open(Moment.at(0.4), Conditions.classes(0, 1))) {
            return Tensors.floats(request.call(0, x));
        }
    }

    private static float largest(float[] a, float[] b) {
        float largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }
        return largest;
    }

    @Test
    void targets_that_no_layer_has_are_refused_with_the_nearest_and_so_are_parameters_named_beside() {
        assertThatThrownBy(() -> distil("none", stage("only", new LoraConfig(2, 2, List.of("attn.proj", "atn.qkv")))))
                .hasMessageContaining("stages.0.lora.targets names 'atn.qkv'")
                .hasMessageContaining("did you mean 'attn.qkv'?")
                .hasMessageContaining("mlp.w12");
        assertThat(temp.resolve("none")).doesNotExist();
        assertThatThrownBy(() -> stage("only", new LoraConfig(2, 2, List.of()), "attn"))
                .hasMessageContaining("trains is [attn], expected nothing beside lora");
        assertThatThrownBy(() -> new LoraConfig(0, 2, List.of())).hasMessageContaining("rank is 0");
    }
}
