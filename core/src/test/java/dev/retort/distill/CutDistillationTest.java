package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NamedLayout;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextToImageSpec;
import dev.retort.config.Configs;
import dev.retort.cut.ModelCut;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.layout.LoraFile;
import dev.retort.pipeline.Models;
import dev.retort.quantize.CalibrationConfig;
import dev.retort.run.RunFolder;
import dev.retort.train.ComputeConfig;
import dev.retort.train.CutConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LikeConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.NetworkConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TextToImageConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Students that are a part of a text-to-image teacher. */
class CutDistillationTest {
    private static final RunConfig RUN = new RunConfig(
            7,
            4,
            new DataConfig.CaptionedShapes("train", 16, false),
            new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
            new EmaConfig(List.of(0.9)),
            new ComputeConfig("cpu", "fp32", false, 4, 0, 1),
            new LogConfig(4, 0, 2, 64),
            SamplingSpec.of("flow-euler", 2, 1));
    private static final TextToImageConfig TEACHER = new TextToImageConfig(
            List.of(8, 8), 2, List.of(0, 1), 4, new TextToImageConfig.Encoder(300, 16, 8, 1, 2), 0.1);

    @TempDir
    static Path temp;

    private static Path teacher;

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(8, TEACHER, new Objective.Flow(0, 1, 1), RUN);
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Recipe recipe(NetworkConfig student, StudentStart start) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                student,
                start,
                new Objective.Flow(0, 1, 1),
                List.of(new StageConfig("all", 8, List.of(new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)))),
                RUN);
    }

    private static TextToImageSpec distilled(Recipe recipe, String name) {
        Path student = Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        assertThat(Models.card(student).text()).isEqualTo(Models.card(teacher).text());
        return (TextToImageSpec) Models.card(student).network();
    }

    @Test
    void a_recipe_names_the_layout_and_the_student_keeps_its_teachers_texts() throws Exception {
        Path file = temp.resolve("student.yaml");
        Files.writeString(file, "student: {type: cut, layout: small, channels: 0.5}\n");
        NetworkConfig student =
                Configs.part(NetworkConfig.class, file, "student").orElseThrow();
        assertThat(student).isEqualTo(new CutConfig(NamedLayout.SMALL, 0.5, 0.1));
        TextToImageSpec spec = distilled(recipe(student, new StudentStart.Cut()), "student");
        assertThat(spec.unet().middle()).isEmpty();
        assertThat(spec.unet().levels().get(1).channels()).isEqualTo(4);
        assertThat(spec.unet().levels().get(1).up()).containsExactly(1, 1);
    }

    @Test
    void a_student_is_like_a_model_that_was_cut_before() {
        Path cut = temp.resolve("cut");
        new ModelCut(teacher, NamedLayout.BASE::of, 1, 0, new CalibrationConfig(1, 0, ""), (d, t, s) -> {}).run(cut);
        TextToImageSpec spec =
                distilled(recipe(new LikeConfig(cut.toString(), 0.1), new StudentStart.From(cut.toString())), "like");
        assertThat(spec).isEqualTo(Models.card(cut).network());
    }

    @Test
    void a_student_of_its_own_shape_is_told_its_teachers_tokens() {
        TextToImageConfig narrow = new TextToImageConfig(
                List.of(8), 1, List.of(1), 4, new TextToImageConfig.Encoder(512, 16, 8, 1, 2), 0.1);
        TextToImageSpec spec = distilled(recipe(narrow, new StudentStart.Random()), "own");
        assertThat(spec.encoders().get(0).vocabulary())
                .isEqualTo(((TextToImageSpec) Models.card(teacher).network())
                        .encoders()
                        .get(0)
                        .vocabulary());
    }

    @Test
    void adapters_of_a_text_to_image_student_lie_inside_the_blocks_of_its_unet() {
        Recipe plain = recipe(new CutConfig(NamedLayout.WHOLE, 1, 0.1), new StudentStart.Cut());
        StageConfig adapted = new StageConfig(
                "lcm",
                8,
                List.of(new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)),
                "",
                Optional.empty(),
                List.of(),
                Optional.of(new LoraConfig(2, 2, List.of())));
        distilled(
                new Recipe(
                        plain.teacher(),
                        plain.student(),
                        plain.init(),
                        plain.objective(),
                        List.of(adapted),
                        plain.run()),
                "lcm");
        try (LoraFile file = LoraFile.open(new RunFolder(temp.resolve("lcm")).adapter())) {
            assertThat(file.pairs()).isNotEmpty().allMatch(pair -> pair.module()
                    .matches("(down_blocks|mid_block|up_blocks)\\..*"));
            assertThat(file.denoiser()).isEqualTo("unet");
        }
    }

    @Test
    void weights_of_another_tokenizer_are_refused() {
        TextToImageConfig fewer = new TextToImageConfig(
                List.of(8, 8), 2, List.of(0, 1), 4, new TextToImageConfig.Encoder(110, 16, 8, 1, 2), 0.1);
        TrainConfig config = new TrainConfig(8, fewer, new Objective.Flow(0, 1, 1), RUN);
        Path other = Training.run(config, temp.resolve("other"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        assertThatThrownBy(() -> Distillation.check(
                        recipe(new LikeConfig(other.toString(), 0.1), new StudentStart.From(other.toString())),
                        Models.card(teacher)))
                .hasMessageContaining("whose tokenizer is not the teacher's");
    }

    @Test
    void what_has_no_such_part_is_refused_by_field() {
        assertThatThrownBy(() -> Distillation.check(
                        recipe(new CutConfig(NamedLayout.SMALL, 0.3, 0.1), new StudentStart.Cut()),
                        Models.card(teacher)))
                .hasMessage("student.channels is 0.3, expected a share that makes a whole number of 8 channels");
        TrainConfig alone =
                new TrainConfig(8, new CutConfig(NamedLayout.BASE, 1, 0.1), new Objective.Flow(0, 1, 1), RUN);
        assertThatThrownBy(() -> alone.network(RUN.data().open()))
                .hasMessageContaining("model.type is cut, a part of a teacher");
        DitSpec dit = new DitSpec(16, 16, 3, 2, 8, 1, 2, 2, 1, 0.1, false, false);
        ModelCard classes = ModelCard.of(
                dit, new Objective.Flow(0, 1, 1).process(), RUN.sampling(), List.of("all"), "", 0, 0, "", Map.of());
        assertThatThrownBy(() -> new CutConfig(NamedLayout.BASE, 1, 0.1)
                        .spec("student", classes, RUN.data().open(), false))
                .hasMessageContaining("give the student's own shape (student.size)");
    }
}
