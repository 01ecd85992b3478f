package dev.retort.run;

import dev.retort.config.CardFile;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Host;
import dev.retort.report.TrainingMetric;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * How far a run is, as {@code status.json} in its folder: written whole at its start, at each line of its log, and at its end.
 *
 * @param format version of the file's layout
 * @param state what the process that wrote it was doing
 * @param pid that process
 * @param host the machine that it ran on
 * @param imagesSeen the clock of the run
 * @param total images that the whole run sees
 * @param stage the stage it is in; empty before the first
 * @param heartbeat when it was written
 */
public record RunStatus(
        int format, State state, long pid, String host, long imagesSeen, long total, String stage, Instant heartbeat) {
    /** Its name in the run's folder. */
    public static final String FILE = "status.json";

    private static final int FORMAT = 1;

    /** Without a sign of life for as long, a process on another machine counts as gone: lines of a log come in minutes. */
    private static final Duration SILENCE = Duration.ofHours(1);

    private static final CardFile<RunStatus> CARD_FILE = new CardFile<>(
            RunStatus.class, FILE, "a run", FORMAT, Kind.DATA, "train something there first", "delete it");

    /** What a run is doing, as its process said last. */
    public enum State {
        /** Training, or killed since. */
        RUNNING,
        /** Stopped by somebody, to go on later. */
        STOPPED,
        /** At its end. */
        FINISHED,
        /** Ended by an error. */
        FAILED
    }

    /** Of the run that this process begins or goes on with. */
    static RunStatus started(long imagesSeen, long total) {
        return new RunStatus(
                FORMAT, State.RUNNING, ProcessHandle.current().pid(), Host.name(), imagesSeen, total, "", now());
    }

    /** The same after an event. */
    RunStatus after(RunEvent event) {
        State next = state;
        String at = stage;
        if (event instanceof RunEvent.Finished) {
            next = State.FINISHED;
        } else if (event instanceof RunEvent.Stopped stopped) {
            next = stopped.failed() ? State.FAILED : State.STOPPED;
        } else if (event instanceof RunEvent.StageBegan began) {
            at = began.stage();
        } else if (event instanceof RunEvent.Line line
                && line.values().get(TrainingMetric.STAGE) instanceof String named) {
            at = named;
        }
        return new RunStatus(format, next, pid, host, event.imagesSeen(), total, at, now());
    }

    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS);
    }

    /** Whether it says running, but its process is gone; of another machine, whether it has been silent for an hour. */
    public boolean dead() {
        if (state != State.RUNNING) {
            return false;
        }
        return host.equals(Host.name())
                ? ProcessHandle.of(pid).isEmpty()
                : heartbeat.plus(SILENCE).isBefore(Instant.now());
    }

    /** Of a run; empty where it never said it, as runs of earlier versions did not. */
    public static Optional<RunStatus> of(RunFolder run) {
        return Files.exists(run.path().resolve(FILE)) ? Optional.of(CARD_FILE.read(run.path())) : Optional.empty();
    }

    void write(RunFolder run) {
        CARD_FILE.write(run.path(), this);
    }
}
