package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.config.Configs;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Shapes;
import dev.retort.data.ShapesCondition;
import dev.retort.data.Trajectories;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.step.CachedStates;
import dev.retort.pipeline.Models;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A student of some of its teacher's classes. */
class DomainDistillationTest {
    private static final List<String> SHAPES = ShapesCondition.SHAPES;
    private static final LossConfig OUTPUT = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);

    @TempDir
    static Path temp;

    private static Path teacher;

    private static RunConfig run(DataConfig data) {
        return new RunConfig(
                7,
                8,
                data,
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                new LogConfig(8, 16, 2, 64),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    private static final DataConfig DRAWN = new DataConfig.Shapes("train", 16, false);

    @BeforeAll
    static void a_teacher() {
        TrainConfig config =
                new TrainConfig(16, new DitConfig("2x24x2/4", 4, 0.1, false), new Objective.Flow(0, 1, 1), run(DRAWN));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Recipe recipe(Path from, DataConfig data, LossConfig loss, String... classes) {
        return new Recipe(
                new TeacherConfig(from.toString(), "", 1),
                new DitConfig("2x24x2/4", 4, 0.1, false),
                new StudentStart.Cut(),
                new Objective.Flow(0, 1, 1),
                List.of(new StageConfig("all", 16, List.of(loss))),
                run(data),
                classes.length == 0 ? Optional.empty() : Optional.of(new DomainConfig(List.of(classes))));
    }

    private static Path distil(Recipe recipe, String name) {
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static void refused(Recipe recipe, String sentence) {
        assertThatThrownBy(() -> Distillation.check(
                        recipe, Models.card(Path.of(recipe.teacher().model()))))
                .hasMessageContaining(sentence);
    }

    /** Pictures as the shapes' own, of classes as their folders are called. */
    private static DataConfig folder(String name, String... classes) throws Exception {
        Shapes shapes = new Shapes(16, 3);
        float[] values = new float[shapes.pixels()];
        for (int i = 0; i < 12; i++) {
            shapes.read(i, values, 0);
            Path file = temp.resolve(name).resolve(classes[i % classes.length]).resolve(i + ".png");
            Files.createDirectories(file.getParent());
            BufferedImage picture = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < 256; p++) {
                int rgb = 0;
                for (int c = 0; c < 3; c++) {
                    rgb = rgb << 8 | Math.round((values[256 * c + p] + 1) * 127.5f);
                }
                picture.setRGB(p % 16, p / 16, rgb);
            }
            ImageIO.write(picture, "png", file.toFile());
        }
        return new DataConfig.Folder(temp.resolve(name).toString(), "train", 16, false);
    }

    private static List<Integer> labels(ImageSource source, int count) {
        List<Integer> labels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            labels.add(source.read(i, new float[source.pixels()], 0).label());
        }
        return labels;
    }

    @Test
    void a_recipe_names_classes_as_the_command_does_and_leaves_them_out_for_all() throws Exception {
        Path file = temp.resolve("recipe.yaml");
        Recipe written = recipe(teacher, DRAWN, OUTPUT, "3", "0-1", SHAPES.get(4));
        Files.writeString(file, Configs.write("distill", written).replace("\"3\"", "3"));
        Recipe read = Configs.load(Recipe.class, "distill", file.toString(), List.of());
        assertThat(read).isEqualTo(written);
        assertThat(read.labels(Models.card(teacher))).containsExactly(0, 1, 3, 4);
        Files.writeString(
                file, Configs.write("distill", recipe(teacher, DRAWN, OUTPUT)).replace("domain: {}", ""));
        assertThat(Configs.load(Recipe.class, "distill", file.toString(), List.of())
                        .domain())
                .isEmpty();
    }

    @Test
    void losses_see_pictures_of_its_classes_alone_and_the_card_says_which() {
        Recipe recipe = recipe(teacher, DRAWN, OUTPUT, SHAPES.get(4), "2");
        ModelCard taught = Models.card(teacher);
        assertThat(labels(recipe.seen(DRAWN.open(), taught), 40))
                .containsOnly(2, 4)
                .contains(2, 4);
        ModelCard card = Models.card(distil(recipe, "some"));
        assertThat(card.trainedFor().classes()).containsExactly(2, 4);
        assertThat(card.labels()).containsExactly(2, 4);
        assertThat(temp.resolve("some/log.jsonl")).content().contains("held-out/output");
        assertThat(card.classes()).isEqualTo(taught.classes());
        assertThat(Models.card(distil(recipe(teacher, DRAWN, OUTPUT), "all")).labels())
                .hasSize(SHAPES.size());
        Path some = temp.resolve("some/model");
        refused(recipe(some, DRAWN, OUTPUT), "the teacher was distilled for " + SHAPES.get(2) + ", " + SHAPES.get(4));
        refused(recipe(some, DRAWN, OUTPUT, "2-3"), "let domain.classes name no others");
        assertThat(Distillation.check(recipe(some, DRAWN, OUTPUT, "2"), Models.card(some)))
                .contains("domain: 2");
    }

    @Test
    void pictures_of_the_users_own_take_the_teachers_label_of_their_folders_name() throws Exception {
        ModelCard taught = Models.card(teacher);
        DataConfig own = folder("own", SHAPES.get(5), "hats", SHAPES.get(1));
        ImageSource both = recipe(teacher, own, OUTPUT, "5", "1").seen(own.open(), taught);
        assertThat(both.size()).isEqualTo(8);
        assertThat(labels(both, 8)).containsOnly(1, 5);
        Recipe five = recipe(teacher, own, OUTPUT, "5");
        assertThat(five.seen(own.open(), taught).size()).isEqualTo(4);
        assertThat(Models.card(distil(five, "five")).trainedFor().classes()).containsExactly(5);
        refused(
                recipe(teacher, own, OUTPUT, "5", "6"),
                "domain.classes asks for " + SHAPES.get(6) + ", of which own/train has no picture; its classes are");
        refused(recipe(teacher, own, OUTPUT), "classes"); // three of its own, and no domain
    }

    @Test
    void a_folder_of_one_kind_is_of_the_one_class_of_the_domain() throws Exception {
        DataConfig plain = folder("plain", ".");
        DataConfig named = folder("named", "my things");
        for (DataConfig data : List.of(plain, named)) {
            assertThat(labels(recipe(teacher, data, OUTPUT, "6").seen(data.open(), Models.card(teacher)), 12))
                    .containsOnly(6);
            refused(recipe(teacher, data, OUTPUT, "6", "7"), "has no picture");
        }
        Files.createDirectories(temp.resolve("empty"));
        DataConfig empty = new DataConfig.Folder(temp.resolve("empty").toString(), "train", 16, false);
        refused(recipe(teacher, empty, OUTPUT, "6"), "empty");
        refused(
                recipe(teacher, DRAWN, OUTPUT, "sqare"),
                "domain.classes sqare is not a class of this model; did you mean");
    }

    @Test
    void of_kept_trajectories_only_those_of_its_classes_are_drawn() {
        Path cache = temp.resolve("trajectories");
        new TrajectoryRecording(teacher, "t", SamplingSpec.of("flow-euler", 2, 1), 0, 16, 16, 8, Device.CPU)
                .run(cache, Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        Trajectories kept = Trajectories.open(cache);
        assertThat(CachedStates.of(kept, List.of(1, 6)).places()).containsExactly(1, 6, 11);
        assertThat(CachedStates.of(kept, List.of()).places()).hasSize(16);
        LossConfig cached = new CachedLoss.Trajectory(LossWeight.ONE, 2, cache.toString());
        Path student = distil(recipe(teacher, DRAWN, cached, "6"), "cached");
        assertThat(Models.card(student).trainedFor().classes()).containsExactly(6);
        new TrajectoryRecording(teacher, "t", SamplingSpec.of("flow-euler", 2, 1), 0, 4, 16, 4, Device.CPU)
                .run(temp.resolve("few"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        LossConfig few =
                new CachedLoss.Trajectory(LossWeight.ONE, 2, temp.resolve("few").toString());
        assertThatThrownBy(() -> distil(recipe(teacher, DRAWN, few, "6"), "uncached"))
                .hasMessageContaining("it holds no trajectory of class " + SHAPES.get(6) + "; record more");
    }
}
