package dev.retort.run;

import dev.retort.report.JsonlLog;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The events of a run, in its {@code log.jsonl}, and its status beside them. A run that goes on forgets the events after the
 * checkpoint that it goes on from.
 */
public final class RunEvents implements AutoCloseable {
    private final RunFolder run;
    private final JsonlLog log;
    private RunStatus status;

    private RunEvents(RunFolder run, JsonlLog log, RunStatus status) {
        this.run = run;
        this.log = log;
        this.status = status;
    }

    /**
     * Begins to tell of a run, as the first event that it started.
     *
     * @param imagesSeen where it goes on; 0 for a new run
     * @param total images that the whole run sees
     */
    public static RunEvents start(RunFolder run, long imagesSeen, long total) {
        RunStatus status = RunStatus.started(imagesSeen, total);
        RunEvents events = new RunEvents(run, JsonlLog.resume(run.log(), imagesSeen), status);
        events.write(new RunEvent.Started(imagesSeen, total, status.pid()));
        return events;
    }

    /** Tells an event: a line of the log, whole before this returns, and the status. */
    public synchronized void write(RunEvent event) {
        log.write(event.kind(), event.imagesSeen(), event.values());
        status = status.after(event);
        status.write(run);
    }

    /** Ends the log. A run that neither finished nor was stopped by then ended by an error. */
    @Override
    public void close() {
        try {
            if (status.state() == RunStatus.State.RUNNING) {
                write(new RunEvent.Stopped(status.imagesSeen(), true, "it ended without saying why"));
            }
        } finally {
            log.close();
        }
    }

    /**
     * An event and when it happened.
     *
     * @param time when; the beginning of the epoch where the log does not say it
     * @param event what
     */
    public record Entry(Instant time, RunEvent event) {
        private static Entry of(Map<String, Object> line) {
            Instant time = line.get("time") instanceof String text ? Instant.parse(text) : Instant.EPOCH;
            return new Entry(time, RunEvent.of(line));
        }
    }

    /**
     * What was new in a log.
     *
     * @param entries the new events, in order
     * @param nextByte where to read on next time
     * @param anew whether the log is shorter than it was, as a run that goes on makes it, so that it was read from its start
     */
    public record Tail(List<Entry> entries, long nextByte, boolean anew) {}

    /**
     * Reads what is new in a log, and only that. A last line that is still being written is left for the next time; a log that
     * is not there yet has no events.
     *
     * @param log a run's {@code log.jsonl}
     * @param fromByte where the last reading ended; 0 at first
     * @throws dev.retort.error.RetortException of kind DATA when a whole line is not a JSON object
     */
    public static Tail tail(Path log, long fromByte) {
        JsonlLog.Tail tail = JsonlLog.tail(log, fromByte);
        return new Tail(tail.entries().stream().map(Entry::of).toList(), tail.nextByte(), tail.anew());
    }

    /** The lines of the training in a log, in order; a last line torn by a crash is left out. */
    public static List<RunEvent.Line> lines(Path log) {
        return JsonlLog.read(log).stream()
                .map(RunEvent::of)
                .filter(RunEvent.Line.class::isInstance)
                .map(RunEvent.Line.class::cast)
                .filter(line -> line.about().equals(RunEvent.Line.TRAIN))
                .toList();
    }
}
