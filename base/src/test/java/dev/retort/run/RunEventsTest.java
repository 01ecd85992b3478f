package dev.retort.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.io.FolderLock;
import dev.retort.io.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunEventsTest {
    @TempDir
    Path temp;

    private RunFolder run;

    @BeforeEach
    void folder() throws Exception {
        run = new RunFolder(Files.createDirectories(temp.resolve("run")));
    }

    private static List<RunEvent> events(RunEvents.Tail tail) {
        return tail.entries().stream().map(RunEvents.Entry::event).toList();
    }

    private RunStatus status() {
        return RunStatus.of(run).orElseThrow();
    }

    @Test
    void a_run_tells_what_happens_in_it_and_how_far_it_is() {
        assertThat(RunStatus.of(run)).isEmpty();
        long pid = ProcessHandle.current().pid();
        List<RunEvent> told = List.of(
                new RunEvent.StageBegan(0, "joint"),
                new RunEvent.Line(32, RunEvent.Line.TRAIN, Map.of("loss/diffusion", 0.5, "stage", "joint")),
                new RunEvent.Sample(32, "samples/000000000032.png"),
                new RunEvent.Checkpoint(32, "checkpoints/000000000032"),
                new RunEvent.Stopped(40, false, "stopped at 40 images"));
        try (RunEvents events = RunEvents.start(run, 0, 64)) {
            assertThat(status().state()).isEqualTo(RunStatus.State.RUNNING);
            assertThat(status().stage()).isEmpty();
            told.subList(0, 2).forEach(events::write);
            assertThat(status())
                    .returns(32L, RunStatus::imagesSeen)
                    .returns(64L, RunStatus::total)
                    .returns(pid, RunStatus::pid)
                    .returns(Host.name(), RunStatus::host)
                    .returns("joint", RunStatus::stage);
            assertThat(status().dead()).isFalse();
            told.subList(2, 5).forEach(events::write);
        }
        assertThat(status().state()).isEqualTo(RunStatus.State.STOPPED);
        RunEvents.Tail tail = RunEvents.tail(run.log(), 0);
        assertThat(events(tail).get(0)).isEqualTo(new RunEvent.Started(0, 64, pid));
        assertThat(events(tail).subList(1, 6)).isEqualTo(told);
        assertThat(tail.entries()).allSatisfy(entry -> assertThat(entry.time())
                .isBetween(Instant.now().minusSeconds(600), Instant.now()));
        assertThat(RunEvents.lines(run.log())).containsExactly((RunEvent.Line) told.get(1));
    }

    @Test
    void a_run_that_goes_on_forgets_what_came_after_its_checkpoint_and_finishes() {
        try (RunEvents events = RunEvents.start(run, 0, 64)) {
            events.write(new RunEvent.Checkpoint(32, "checkpoints/000000000032"));
            events.write(new RunEvent.Line(40, RunEvent.Line.TRAIN, Map.of("x", 1)));
        }
        assertThat(status().state()).as("closed without a word").isEqualTo(RunStatus.State.FAILED);
        long read = RunEvents.tail(run.log(), 0).nextByte();
        try (RunEvents events = RunEvents.start(run, 32, 64)) {
            RunEvents.Tail tail = RunEvents.tail(run.log(), read);
            assertThat(tail.anew()).as("it is shorter than it was").isTrue();
            assertThat(events(tail)).extracting(RunEvent::kind).containsExactly("started", "checkpoint", "started");
            events.write(new RunEvent.Finished(64, "model"));
        }
        assertThat(status().state()).isEqualTo(RunStatus.State.FINISHED);
    }

    @Test
    void a_tail_has_what_is_new_and_leaves_a_line_that_is_still_being_written() throws Exception {
        assertThat(RunEvents.tail(run.log(), 0)).isEqualTo(new RunEvents.Tail(List.of(), 0, false));
        // a log of an earlier version
        Files.writeString(run.log(), """
                {"imagesSeen":0,"time":"2026-11-22T10:00:00.500Z","kind":"encoding","seconds-per-image":0.004}
                {"imagesSeen":16,"time":"2026-11-22T10:00:01Z","kind":"train","loss/diffusion":0.5}
                {"imagesSeen":32,"time":"2026-""");
        RunEvents.Tail first = RunEvents.tail(run.log(), 0);
        assertThat(first.entries())
                .containsExactly(
                        new RunEvents.Entry(
                                Instant.parse("2026-11-22T10:00:00.500Z"),
                                new RunEvent.Line(0, "encoding", Map.of("seconds-per-image", 0.004))),
                        new RunEvents.Entry(
                                Instant.parse("2026-11-22T10:00:01Z"),
                                new RunEvent.Line(16, "train", Map.of("loss/diffusion", 0.5))));
        assertThat(RunEvents.lines(run.log())).hasSize(1);
        assertThat(RunEvents.tail(run.log(), first.nextByte()).entries()).isEmpty();
        Files.writeString(run.log(), "11-22T10:00:02Z\",\"kind\":\"train\",\"x\":\"ü\"}\n", StandardOpenOption.APPEND);
        RunEvents.Tail second = RunEvents.tail(run.log(), first.nextByte());
        assertThat(events(second)).containsExactly(new RunEvent.Line(32, "train", Map.of("x", "ü")));
        assertThat(second.nextByte()).isEqualTo(Files.size(run.log()));
        Files.writeString(run.log(), "no json\n", StandardOpenOption.APPEND);
        assertThatThrownBy(() -> RunEvents.tail(run.log(), second.nextByte()))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(run.log() + ", at byte " + second.nextByte());
    }

    @Test
    void a_run_whose_process_is_gone_is_dead() throws Exception {
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        RunStatus here =
                new RunStatus(1, RunStatus.State.RUNNING, gone.pid(), Host.name(), 8, 64, "train", Instant.now());
        assertThat(here.dead()).isTrue();
        RunStatus elsewhere =
                new RunStatus(1, RunStatus.State.RUNNING, gone.pid(), "elsewhere", 8, 64, "train", Instant.now());
        assertThat(elsewhere.dead()).isFalse();
        assertThat(new RunStatus(
                                1,
                                RunStatus.State.RUNNING,
                                gone.pid(),
                                "elsewhere",
                                8,
                                64,
                                "train",
                                Instant.now().minusSeconds(4000))
                        .dead())
                .isTrue();
        assertThat(new RunStatus(1, RunStatus.State.STOPPED, gone.pid(), Host.name(), 8, 64, "train", Instant.now())
                        .dead())
                .isFalse();
    }

    @Test
    void the_run_around_a_model_is_found_from_its_result_its_checkpoints_and_itself() throws Exception {
        record Settings(int images) {}
        try (FolderLock held = FolderLock.take(run.path(), note -> {})) {
            RunFolder.open(held, "train", new Settings(3), note -> {});
        }
        Path checkpoint = Files.createDirectories(run.checkpoint(32));
        Path model = Files.createDirectories(run.model());
        for (Path path : List.of(run.path(), model, checkpoint, run.path().resolve("model/../samples"))) {
            assertThat(RunFolder.around(path)).hasValue(run);
        }
        assertThat(RunFolder.around(temp)).isEmpty();
        assertThat(RunFolder.around(checkpoint.resolve("deeper"))).isEmpty();
        assertThat(run.data()).isEmpty();
        Files.writeString(run.path().resolve("config.yaml"), "run:\n  data: {kind: shapes, size: 16}\n");
        assertThat(run.data()).hasValue(dev.retort.data.DataConfig.shapes(16));
    }
}
