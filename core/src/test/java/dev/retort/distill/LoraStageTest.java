package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.io.SafetensorsFile;
import dev.retort.run.RunFolder;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
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
