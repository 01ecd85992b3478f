package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.DownloadListener;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.layout.ModelFiles;
import dev.retort.pipeline.Models;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.run.RunStatus;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may write into a run, what a stopped run goes on with, and what is said where it cannot. */
class RunFolderTest {
    @TempDir
    Path temp;

    private Path run() {
        return temp.resolve("run");
    }

    private static TrainConfig config() {
        return TrainerTest.tiny(48, 1e-3, 8);
    }

    /** A checkpoint at 16 and at 32 images. */
    private void stopped(TrainConfig config, int atStep) {
        AtomicInteger steps = new AtomicInteger();
        assertThatThrownBy(() -> Training.run(
                        config, run(), Map.of(), n -> {}, (d, t, s) -> {}, () -> steps.incrementAndGet() == atStep))
                .hasMessageContaining("the same command resumes");
    }

    private List<String> train(TrainConfig config, String initFrom) {
        List<String> notes = new ArrayList<>();
        Training.run(config, initFrom, run(), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        return notes;
    }

    private static void refused(Kind kind, ThrowingCallable call, String... texts) {
        assertThatThrownBy(call).isInstanceOfSatisfying(RetortException.class, e -> {
            assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
            assertThat(e.getMessage()).contains(texts).doesNotContain("\n");
        });
    }

    @Test
    void a_second_run_into_the_folder_is_refused_and_the_first_ends_as_if_alone() throws Exception {
        Path alone = temp.resolve("alone");
        Training.run(config(), alone, Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        AtomicInteger refusals = new AtomicInteger();
        Training.run(
                config(),
                run(),
                Map.of(),
                n -> {},
                (done, total, text) -> {
                    refused(Kind.WRITE, () -> train(config(), ""), "in use by this process");
                    refusals.incrementAndGet();
                },
                () -> false);
        assertThat(refusals).hasValue(6);
        assertThat(Files.mismatch(alone.resolve("model/model.safetensors"), run().resolve("model/model.safetensors")))
                .isEqualTo(-1);
        assertThat(train(config(), "")).contains("resuming at 48 images");
    }

    @Test
    void where_it_computes_and_what_it_logs_may_change_between_a_run_and_its_going_on() {
        stopped(config(), 3);
        TrainConfig moved =
                Altered.with(config(), new ComputeConfig("auto", "fp32", true, 4, 2, 2), new LogConfig(8, 0, 1, 16));
        assertThat(train(moved, ""))
                .anyMatch(note -> note.contains("run.compute.device is \"cpu\" there, \"auto\" here"))
                .anyMatch(note -> note.contains("micro-batch 4 instead of 8"))
                .contains("resuming at 24 images");
        assertThat(train(moved, "")).noneMatch(note -> note.contains("other settings"));
    }

    @Test
    void a_run_that_saved_nothing_begins_with_other_settings_and_one_that_did_does_not() {
        TrainConfig other = TrainerTest.tiny(48, 2e-3, 8);
        assertThatThrownBy(() -> Training.run(
                        config(),
                        run(),
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {
                            throw new IllegalStateException("as if it were killed");
                        },
                        () -> false))
                .hasMessageContaining("killed");
        assertThat(train(other, "")).anyMatch(note -> note.contains("run.optimizer.lr is 0.001 there, 0.002 here"));
        refused(Kind.CONFIG, () -> train(config(), ""), "another configuration", "run.optimizer.lr");
    }

    @Test
    void a_run_tells_when_it_began_saved_stopped_and_finished() {
        stopped(config(), 3);
        RunFolder run = new RunFolder(run());
        assertThat(RunStatus.of(run).orElseThrow())
                .returns(RunStatus.State.STOPPED, RunStatus::state)
                .returns(24L, RunStatus::imagesSeen)
                .returns(48L, RunStatus::total)
                .returns("train", RunStatus::stage);
        train(config(), "");
        assertThat(RunStatus.of(run).orElseThrow().state()).isEqualTo(RunStatus.State.FINISHED);
        assertThat(RunEvents.tail(run.log(), 0).entries())
                .extracting(entry -> entry.event().kind() + " " + entry.event().imagesSeen())
                .startsWith("started 0", "stage 0")
                .containsSubsequence("checkpoint 24", "stopped 24", "started 24", "checkpoint 48", "finished 48");
    }

    @Test
    void a_run_begun_before_its_settings_said_their_kind_goes_on_and_one_of_another_kind_does_not() throws Exception {
        stopped(config(), 3);
        Path settings = run().resolve("config.yaml");
        List<String> lines = Files.readAllLines(settings);
        assertThat(lines).startsWith("kind: train");
        Files.write(settings, lines.subList(1, lines.size()));
        assertThat(train(config(), "")).contains("resuming at 24 images").noneMatch(note -> note.contains("settings"));
        Files.writeString(settings, "kind: distill\n");
        refused(Kind.CONFIG, () -> train(config(), ""), "holds a run of kind distill", "this one is of kind train");
    }

    private TrainConfig pictures(String... classes) throws Exception {
        for (String name : classes) {
            for (int i = 0; i < 4; i++) {
                picture(name, i);
            }
        }
        return Altered.with(
                config(), new DataConfig.Folder(temp.resolve("pictures").toString(), "train", 16, false));
    }

    private void picture(String name, int number) throws Exception {
        Path folder = Files.createDirectories(temp.resolve("pictures").resolve(name));
        byte[] pixels = new byte[3 * 16 * 16];
        java.util.Arrays.fill(pixels, (byte) (40 * number));
        Png.write(folder.resolve(number + ".png"), new PixelImage(3, 16, 16, pixels));
    }

    @Test
    void labels_that_moved_are_refused_and_more_pictures_are_told() throws Exception {
        TrainConfig config = pictures("oak", "pine");
        stopped(config, 3);
        picture("pine", 5);
        stopped(config, 1);
        assertThat(train(config, "")).noneMatch(note -> note.contains("order is another"));
        picture("pine", 6);
        assertThat(train(config, "")).anyMatch(note -> note.contains("has 10 images, it had 9"));
        Files.move(temp.resolve("pictures/pine"), temp.resolve("pictures/birch"));
        refused(
                Kind.CHECKPOINT,
                () -> train(config, ""),
                "class 0 was oak and is birch",
                "class 1 was pine and is oak",
                "another folder");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "null", "[1]", "", "{\"imagesSeen\": 24}", "{\"format\": 9}"})
    void a_state_that_says_nothing_is_refused_with_the_checkpoint_to_go_on_from(String state) throws Exception {
        stopped(config(), 3);
        Path newest = run().resolve("checkpoints/000000000024");
        Files.writeString(newest.resolve("state.json"), state);
        refused(Kind.CHECKPOINT, () -> train(config(), ""), "state.json", "delete " + newest, "as there is no other");
        Files.move(newest, run().resolve("checkpoints/000000000016"));
        refused(Kind.CHECKPOINT, () -> train(config(), ""), "delete");
    }

    @ParameterizedTest
    @ValueSource(strings = {"training.safetensors", "model.safetensors", "state.json", "model.json"})
    void a_damaged_checkpoint_is_refused_with_the_one_before_and_that_one_resumes(String file) throws Exception {
        TrainConfig often = Altered.with(config(), new LogConfig(16, 0, 1, 16));
        stopped(often, 5);
        Path newest = run().resolve("checkpoints/000000000040");
        Files.writeString(newest.resolve(file), "{");
        refused(
                Kind.CHECKPOINT,
                () -> train(often, ""),
                newest.resolve(file).toString(),
                "delete " + newest + " to go on from the one before, 000000000032");
        try (var inside = Files.list(newest)) {
            for (Path each : inside.toList()) {
                Files.delete(each);
            }
        }
        Files.delete(newest);
        assertThat(train(often, "")).contains("resuming at 32 images");
    }

    @Test
    void what_a_user_put_into_an_old_checkpoint_stays_and_is_no_checkpoint() throws Exception {
        TrainConfig often = Altered.with(config(), new LogConfig(16, 0, 1, 8));
        stopped(often, 2);
        Path first = run().resolve("checkpoints/000000000008");
        Path note = Files.writeString(first.resolve("note.txt"), "the best so far");
        Path grids = Files.createDirectories(run().resolve("checkpoints/000000000016/grids"));
        train(often, "");
        assertThat(first).isDirectoryContaining(note::equals);
        assertThat(first.toFile().list()).containsExactly("note.txt");
        assertThat(grids).isDirectory();
        assertThat(new RunFolder(run()).list())
                .extracting(path -> path.getFileName().toString())
                .containsExactly("000000000040", "000000000048");
        assertThat(run().resolve("checkpoints/000000000024")).doesNotExist();
    }

    @Test
    void a_way_of_sampling_that_cannot_be_is_refused_before_anything_is_trained() {
        TrainConfig unfit = Altered.with(config(), SamplingSpec.of("euler", 4, 1));
        refused(Kind.CONFIG, () -> train(unfit, ""), "run.sampling: sampling cannot be planned: ");
        assertThat(new RunFolder(run()).begun()).isFalse();
    }

    @Test
    void a_state_of_the_version_before_resumes() throws Exception {
        stopped(config(), 3);
        Path state = run().resolve("checkpoints/000000000024/state.json");
        Files.writeString(
                state,
                "{\"imagesSeen\":24,\"steps\":3,\"microBatch\":8,\"skippedSteps\":0,\"skippedInARow\":0,"
                        + "\"averageLoss\":1.1,\"seconds\":0.5}\n");
        assertThat(train(config(), "")).contains("resuming at 24 images");
    }

    @Test
    void a_resumed_run_takes_no_other_start_than_its_own() {
        Path start = temp.resolve("start");
        Training.run(config(), start, Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        AtomicInteger steps = new AtomicInteger();
        assertThatThrownBy(() -> Training.run(
                        config(),
                        start.toString(),
                        run(),
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {},
                        () -> steps.incrementAndGet() == 3))
                .hasMessageContaining("the same command resumes");
        refused(
                Kind.CHECKPOINT,
                () -> train(config(), start.resolve("model").toString()),
                "started from " + start + ", not from " + start.resolve("model"),
                "leave initFrom out");
        assertThat(train(config(), start.toString())).contains("resuming at 24 images");
    }

    @Test
    void the_result_of_a_run_that_cannot_be_read_is_no_reason_to_take_a_checkpoint_silently() throws Exception {
        stopped(config(), 3);
        List<String> said = new ArrayList<>();
        assertThat(Models.locate(run().toString(), DownloadListener.saying(said::add))
                        .getFileName())
                .hasToString("000000000024");
        assertThat(said).singleElement().asString().contains("no result yet", "000000000024");
        train(config(), "");
        said.clear();
        assertThat(Models.locate(run().toString(), DownloadListener.saying(said::add)))
                .isEqualTo(run().resolve("model"));
        assertThat(said).isEmpty();
        Files.delete(run().resolve("model").resolve(ModelFiles.CARD));
        refused(
                Kind.CHECKPOINT,
                () -> Models.locate(run().toString(), DownloadListener.NONE),
                run().resolve("model") + " is damaged",
                "checkpoints/000000000048");
    }
}
