package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.error.RetortException;
import dev.retort.io.ImageGrid;
import dev.retort.io.PixelImage;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunWatchTest {
    private static final PictureStatistics DATA = new PictureStatistics(-0.4, 0.7, 0.6);

    @TempDir
    Path temp;

    private final List<String> said = new ArrayList<>();
    private RunFolder run;
    private RunLog log;

    @BeforeEach
    void open() throws Exception {
        run = new RunFolder(temp);
        Files.createDirectories(run.samples());
        log = new RunLog(run, 0, 1000, 1e9, null);
    }

    @AfterEach
    void close() {
        log.close();
    }

    private RunWatch watch(boolean stop, Band... bands) {
        RunWatch watch = new RunWatch(
                log,
                new LogConfig(10, 10, 1, 10, List.of(), List.of(bands), stop),
                RunEvents.tail(run.log(), 0).entries());
        watch.announce(said::add);
        return watch;
    }

    private static void line(RunWatch watch, long imagesSeen, String name, double value) {
        Map<String, Object> values = new HashMap<>(Map.of("images-per-second", 1.0));
        values.put(name, value);
        watch.line(imagesSeen, values, 0);
    }

    private List<String> about() {
        return RunEvents.tail(run.log(), 0).entries().stream()
                .map(RunEvents.Entry::event)
                .filter(RunEvent.Warning.class::isInstance)
                .map(event -> ((RunEvent.Warning) event).about())
                .toList();
    }

    private static void look(RunWatch watch, double mean, double std, double distance) {
        ImageGrid grid = ImageGrid.of(new float[4], 1, 1, 2, 2, 1);
        watch.picture(10, new Preview.Look(grid, new PictureStatistics(mean, std, distance), DATA));
    }

    @Test
    void a_value_is_held_against_its_band_once_at_the_first_line_that_has_it() {
        RunWatch watch = watch(true, new Band(100, "loss/output", 0.1, 0.2), new Band(100, "lr", 0, 1));
        line(watch, 90, "loss/output", 9);
        line(watch, 100, "lr", 0.5);
        assertThat(said).isEmpty();
        watch.requireInside(() -> temp);
        line(watch, 110, "loss/output", 0.25);
        line(watch, 120, "loss/output", 0.25);
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("loss/output is 0.2500 at 110 images, expected 0.1000 to");
        assertThatThrownBy(() -> watch.requireInside(() -> temp))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("saved to " + temp);
        RunWatch resumed = watch(true, new Band(100, "loss/output", 0.1, 0.2));
        line(resumed, 130, "loss/output", 0.25);
        assertThatCode(() -> resumed.requireInside(() -> temp)).doesNotThrowAnyException();
        assertThat(about()).containsExactly("band of loss/output at 100");
    }

    @Test
    void what_is_no_number_lies_in_no_band_and_below_has_other_causes_than_above() {
        Band band = new Band(1, "loss/output", 0.1, 0.2);
        assertThat(band.holds(Double.NaN)).isFalse();
        assertThat(band.holds(0.1)).isTrue();
        assertThat(band.sentence(0.05, 1)).contains("collapsed");
        assertThat(band.sentence(0.5, 1)).contains("run.optimizer.lr");
        assertThatThrownBy(() -> new Band(1, "loss/output", 0.2, 0.1))
                .hasMessageContaining("to is 0.1, expected at least");
    }

    @Test
    void a_band_of_a_name_that_nobody_logs_is_told_at_the_end() {
        RunWatch watch = watch(false, new Band(100, "loss/ouput", 0, 1), new Band(2000, "loss/output", 0, 1));
        line(watch, 1000, "loss/output", 0.5);
        watch.finished(1000, temp.resolve("model"));
        assertThat(said).singleElement().asString().contains("never logged: loss/ouput at 100");
    }

    @Test
    void a_critic_that_has_won_and_a_loss_that_is_not_finite_are_told_once_a_stage() {
        RunWatch watch = watch(false);
        for (int i = 1; i <= 4; i++) {
            line(watch, i, "loss/critic", 0.1);
        }
        line(watch, 5, "loss/critic", 0.3); // not in a row
        for (int i = 6; i <= 20; i++) {
            assertThat(about()).hasSize(i <= 10 ? 0 : 1);
            line(watch, i, "loss/critic", 0.1);
        }
        line(watch, 21, "loss/output", Double.NaN);
        line(watch, 22, "loss/output", Double.NaN);
        assertThat(about()).containsExactly("loss/critic", "not finite");
        watch.began(23, "next");
        line(watch, 24, "loss/output", Double.NaN);
        assertThat(about()).containsExactly("loss/critic", "not finite", "not finite");
        assertThat(said.get(0)).contains("for 5 lines").contains("noiseFrom");
    }

    @Test
    void pictures_that_drift_from_the_data_or_are_all_one_are_told() {
        RunWatch watch = watch(false);
        look(watch, -0.35, 0.73, 0.5);
        assertThat(about()).isEmpty();
        look(watch, -0.2, 0.7, 0.6);
        look(watch, -0.4, 1.0, 0.6);
        look(watch, -0.4, 0.7, 0.1);
        look(watch, -0.4, 0.7, Double.NaN); // one picture of each class
        assertThat(about()).containsExactly("brightness", "contrast", "diversity");
        assertThat(said.get(0)).contains("brighter than the data (mean -0.200, the data's -0.400)");
        assertThat(said.get(1)).contains("richer in contrast").contains("guidance");
        assertThat(said.get(2)).contains("two seeds give nearly one picture");
    }

    @Test
    void statistics_of_pictures_are_those_of_their_values() {
        List<PixelImage> pictures = List.of(
                new PixelImage(1, 1, 2, new byte[] {0, (byte) 255}), // -1, 1
                new PixelImage(1, 1, 2, new byte[] {0, 0}),
                new PixelImage(1, 1, 2, new byte[] {(byte) 255, (byte) 255}));
        PictureStatistics all = PictureStatistics.of(pictures, new int[] {3, 3, 4});
        assertThat(all.mean()).isCloseTo(0, within(1e-12));
        assertThat(all.std()).isCloseTo(1, within(1e-12));
        assertThat(all.distance()).isCloseTo(Math.sqrt(2), within(1e-12));
    }
}
