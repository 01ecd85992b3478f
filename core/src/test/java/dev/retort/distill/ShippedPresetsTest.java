package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.retort.Conditions;
import dev.retort.Shared;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.config.Configs;
import dev.retort.config.Presets;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Plan;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every preset can start: its pictures open, both splits of them, and its network fits them. */
class ShippedPresetsTest {
    private static final Map<DataConfig, ImageSource> OPENED = new ConcurrentHashMap<>();

    @TestFactory
    Stream<DynamicTest> a_teacher_preset_opens_its_pictures_and_fits_them() {
        return Presets.list("train").stream()
                .map(preset -> DynamicTest.dynamicTest(preset.name(), () -> {
                    TrainConfig config = Configs.load(TrainConfig.class, preset, List.of());
                    ImageSource source = opened(config.run().data());
                    forward((DitSpec) config.network(source), source);
                    SamplingSpec sampling = config.run().sampling();
                    Plan plan = SamplingPlan.of(
                            config.objective().process().process(),
                            sampling,
                            config.objective().learnSigma());
                    assertThat(plan.steps().size()).isBetween(sampling.steps(), 2 * sampling.steps());
                }));
    }

    @TestFactory
    Stream<DynamicTest> a_student_preset_opens_its_pictures_and_fits_its_teachers_preset() {
        return Presets.list("distill").stream()
                .map(preset -> DynamicTest.dynamicTest(preset.name(), () -> {
                    Recipe recipe = Configs.load(Recipe.class, preset, List.of());
                    ImageSource source = opened(recipe.run().data());
                    ModelCard card = teacher(recipe, source);
                    forward((DitSpec) recipe.network(source, card), source);
                    assertThat(recipe.network(source, card).parameters())
                            .isLessThanOrEqualTo(card.network().parameters());
                    Distillation.check(here(recipe), card);
                }));
    }

    @TestFactory
    Stream<DynamicTest> a_recipe_that_ends_in_whole_numbers_can_start_from_what_the_project_keeps() {
        return Stream.of("fashion-int8", "fashion-small-fast-int8")
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    Recipe written =
                            Configs.load(Recipe.class, "distill", "../docs/recipes/" + name + ".yaml", List.of());
                    Recipe recipe = written.init() instanceof StudentStart.From
                            ? Configs.load(
                                    Recipe.class,
                                    "distill",
                                    "../docs/recipes/" + name + ".yaml",
                                    List.of("init=from:model=../zoo/fashion-few"))
                            : written;
                    Distillation.check(
                            here(recipe), teacher(recipe, opened(recipe.run().data())));
                    List<StageConfig> stages = recipe.stages();
                    assertThat(stages.get(stages.size() - 1).quantize()).contains(new QuantizeConfig(7));
                }));
    }

    /** A model kept in the project, or what the preset makes that trains a recipe's teacher into {@code runs/NAME}; the demo trains its own. */
    private static ModelCard teacher(Recipe recipe, ImageSource source) {
        String model = recipe.teacher().model();
        if (model.startsWith("zoo/")) {
            return Models.card(Path.of("..", model));
        }
        String name = model.replace("runs/demo/", "shapes-").replace("runs/", "");
        TrainConfig teacher = Configs.load(TrainConfig.class, Presets.open("train", name), List.of());
        return ModelCard.of(
                teacher.network(opened(teacher.run().data())),
                teacher.objective().process(),
                teacher.run().sampling(),
                source.classNames(),
                "",
                0,
                0,
                "",
                Map.of());
    }

    /** The recipe with its data where they lie for this test. */
    private static Recipe here(Recipe recipe) {
        RunConfig run = recipe.run();
        return new Recipe(
                recipe.teacher(),
                recipe.student(),
                recipe.init(),
                recipe.objective(),
                recipe.stages(),
                new RunConfig(
                        run.seed(),
                        run.batch(),
                        here(run.data()),
                        run.optimizer(),
                        run.ema(),
                        run.compute(),
                        run.log(),
                        run.sampling()));
    }

    /** A picture of the source goes through the network. */
    private static void forward(DitSpec spec, ImageSource source) {
        float[] picture = new float[source.pixels()];
        source.read(0, picture, 0);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit network = new Dit(spec, Init.blank(Device.CPU))) {
            int[] last = {
                spec.hasNullClass()
                        ? spec.condition().nullClass()
                        : source.classNames().size() - 1
            };
            Tensor answer = network.forward(
                    Tensors.of(picture, Device.CPU, 1, source.channels(), source.height(), source.width()),
                    Tensors.full(1, Device.CPU, 1),
                    Conditions.classes(last),
                    Taps.none());
            assertThat(Tensors.shape(answer)).containsExactly(1, spec.outChannels(), source.height(), source.width());
        }
    }

    /** Opened once, though presets share their pictures. */
    private static ImageSource opened(DataConfig data) {
        return OPENED.computeIfAbsent(data, ShippedPresetsTest::open);
    }

    private static ImageSource open(DataConfig data) {
        assumeFalse(data instanceof DataConfig.Latents, "skipped: 'retort encode' makes " + data.path());
        DataConfig here = here(data);
        ImageSource test = here.withSplit("test").open();
        ImageSource train = here.open();
        float[] first = new float[train.pixels()];
        float[] other = new float[test.pixels()];
        train.read(0, first, 0);
        test.read(0, other, 0);
        assertThat(first).as("train and test are different pictures").isNotEqualTo(other);
        return train;
    }

    private static DataConfig here(DataConfig data) {
        String path = data.path().isEmpty()
                ? ""
                : Shared.path(Path.of("../shared")
                                .relativize(Path.of(data.path()))
                                .toString())
                        .toString();
        return data.with(path, data.split(), data.size());
    }
}
