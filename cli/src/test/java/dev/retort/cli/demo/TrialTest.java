package dev.retort.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.config.Configs;
import dev.retort.distill.Recipe;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.TrainConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrialTest {
    private static final List<String> ON_CPU = List.of("run.compute.device=cpu", "run.compute.precision=fp32");

    @TempDir
    private Path folder;

    private static Trial trial() {
        TrainConfig teaching = Configs.load(TrainConfig.class, "train", "shapes-teacher", with("model.size=2x32x1/4"));
        Recipe recipe = Configs.load(Recipe.class, "distill", "shapes-student", with("student.size=1x32x1/4"));
        TrainConfig alone = new TrainConfig(1_000_000, recipe.student(), recipe.objective(), recipe.run());
        return new Trial(teaching, recipe, alone, Device.CPU, Precision.FP32, 10);
    }

    private static List<String> with(String size) {
        return List.of(ON_CPU.get(0), ON_CPU.get(1), size);
    }

    @Test
    void it_finds_what_every_part_costs_and_leaves_nothing_behind() {
        Pace pace = trial().pace(folder, 1.5, () -> false);
        assertThat(List.of(pace.teacher(), pace.student(), pace.alone(), pace.drawTeacher(), pace.drawStudent()))
                .allSatisfy(seconds -> assertThat(seconds).isBetween(1e-6, 10.0));
        assertThat(pace.run()).isBetween(0.01, 100.0);
        assertThat(pace.start()).isEqualTo(1.5);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_user_who_stops_it_is_told_and_nothing_stays() {
        assertThatThrownBy(() -> trial().pace(folder, 1.5, () -> true))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.INTERRUPTED));
        assertThat(folder).isEmptyDirectory();
    }
}
