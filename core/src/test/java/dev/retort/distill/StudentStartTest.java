package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.NetworkConfig;
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

/** With which weights a student begins, and which of them a stage moves. */
class StudentStartTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final NetworkConfig SIZE = new DitConfig("2x24x2/4", 4, 0.1, false);

    @TempDir
    static Path temp;

    static Path teacher;
    static Path other;

    private static RunConfig run(int seed, String solver) {
        return new RunConfig(
                seed,
                8,
                new DataConfig.Shapes("train", 16, false),
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.5)),
                new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                new LogConfig(8, 0, 1, 64),
                SamplingSpec.of(solver, 2, 1));
    }

    private static Path trained(String name, int seed, Objective objective, String solver) {
        return Training.run(
                new TrainConfig(16, SIZE, objective, run(seed, solver)),
                temp.resolve(name),
                Map.of(),
                n -> {},
                (d, t, s) -> {},
                () -> false);
    }

    @BeforeAll
    static void two_models() {
        teacher = trained("teacher", 1, FLOW, "flow-euler");
        other = trained("other", 2, FLOW, "flow-euler");
    }

    private static Path distil(StudentStart init, List<String> trains, String name) {
        StageConfig stage = new StageConfig(
                "all",
                16,
                List.of(new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)),
                "",
                Optional.empty(),
                trains);
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1), SIZE, init, FLOW, List.of(stage), run(3, "flow-euler"));
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    /** Names of the weights in which two models differ. */
    private static Set<String> differing(Path a, Path b) {
        Set<String> names = new TreeSet<>();
        try (TensorFile left = TensorFiles.open(a.resolve("model.safetensors"));
                TensorFile right = TensorFiles.open(b.resolve("model.safetensors"))) {
            for (String name : left.entries().keySet()) {
                if (!Arrays.equals(left.floats(name), right.floats(name))) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    @Test
    void a_stage_moves_the_parameters_it_names_and_no_others() {
        Path student =
                distil(new StudentStart.From(other.toString()), List.of("blocks.1.attn", "final_layer.linear"), "part");
        assertThat(differing(other, student))
                .containsExactly(
                        "blocks.1.attn.proj.bias",
                        "blocks.1.attn.proj.weight",
                        "blocks.1.attn.qkv.bias",
                        "blocks.1.attn.qkv.weight",
                        "final_layer.linear.bias",
                        "final_layer.linear.weight");
    }

    @Test
    void a_part_of_no_parameters_name_is_refused() {
        assertThatThrownBy(() -> distil(new StudentStart.Cut(), List.of("attn.prj"), "misspelt"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("stages.0.trains is attn.prj, expected a part of the name of some parameter");
        assertThat(temp.resolve("misspelt/config.yaml")).doesNotExist();
    }

    @Test
    void a_model_that_predicts_something_else_is_no_start() {
        Path noise = trained("noise", 4, new Objective.Ddpm(ProcessSpec.ddpm(), false, 0), "ddim");
        assertThatThrownBy(() -> distil(new StudentStart.From(noise.toString()), List.of(), "unfit"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("init is from:model=")
                .hasMessageContaining("start from a model that does");
    }

    @Test
    void a_start_that_is_not_there_is_named_as_such() {
        assertThatThrownBy(() ->
                        distil(new StudentStart.From(temp.resolve("nothing").toString()), List.of(), "no-start"))
                .isInstanceOf(RetortException.class)
                .hasMessageStartingWith("init: ")
                .hasMessageContaining("nothing does not exist");
    }
}
