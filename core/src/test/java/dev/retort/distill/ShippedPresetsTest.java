package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.retort.Shared;
import dev.retort.card.DitSpec;
import dev.retort.config.Configs;
import dev.retort.config.Presets;
import dev.retort.data.DataSpec;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.train.TrainConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every preset can start: its pictures open, both splits of them, and its network fits them. */
class ShippedPresetsTest {
    @TestFactory
    Stream<DynamicTest> a_teacher_preset_opens_its_pictures_and_fits_them() {
        return Presets.list("train").stream()
                .map(preset -> DynamicTest.dynamicTest(preset.name(), () -> {
                    TrainConfig config = Configs.load(TrainConfig.class, preset, List.of());
                    ImageSource source = opened(config.run().data());
                    DitSpec spec = config.network(source);
                    assertThat(spec.height()).isEqualTo(source.height());
                }));
    }

    @TestFactory
    Stream<DynamicTest> a_student_preset_opens_its_pictures_and_fits_them() {
        return Presets.list("distill").stream()
                .map(preset -> DynamicTest.dynamicTest(preset.name(), () -> {
                    Recipe recipe = Configs.load(Recipe.class, preset, List.of());
                    ImageSource source = opened(recipe.run().data());
                    DitSpec spec = recipe.network(source);
                    assertThat(spec.height()).isEqualTo(source.height());
                }));
    }

    private static ImageSource opened(DataSpec data) {
        assumeFalse(data.kind().equals("latents"), "skipped: 'retort encode' makes " + data.path());
        String path = data.path().isEmpty()
                ? ""
                : Shared.path(Path.of("../shared")
                                .relativize(Path.of(data.path()))
                                .toString())
                        .toString();
        DataSpec here = new DataSpec(data.kind(), path, data.split(), data.size(), data.flip());
        ImageSource test = Datasets.open(here.withSplit("test"));
        ImageSource train = Datasets.open(here);
        float[] first = new float[train.pixels()];
        float[] other = new float[test.pixels()];
        train.read(0, first, 0);
        test.read(0, other, 0);
        assertThat(first).as("train and test are different pictures").isNotEqualTo(other);
        return train;
    }
}
