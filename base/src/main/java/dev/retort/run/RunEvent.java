package dev.retort.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Something that happened in a run; one line of its {@code log.jsonl}. */
public sealed interface RunEvent {
    /** The clock of the run when it happened. */
    long imagesSeen();

    /**
     * A process began or went on with the run.
     *
     * @param total images that the whole run sees
     * @param pid the process
     */
    record Started(long imagesSeen, long total, long pid) implements RunEvent {}

    /**
     * Measured values.
     *
     * @param about {@code train}: a line of the training since the last; {@code held-out}: losses on
     *     images that are not learned; {@code encoding}: what a latent cache saves
     * @param values by name, see {@link dev.retort.report.TrainingMetric}
     */
    record Line(long imagesSeen, String about, Map<String, Object> values) implements RunEvent {
        /** The kind of what is measured in training. */
        public static final String TRAIN = "train";
        /** The kind of what is measured on images that are not learned. */
        public static final String HELD_OUT = "held-out";
        /** The kind of what encoding would cost. */
        public static final String ENCODING = "encoding";
    }

    /**
     * A grid of samples was written.
     *
     * @param path the picture, within the run's folder
     */
    record Sample(long imagesSeen, String path) implements RunEvent {}

    /**
     * A checkpoint was saved.
     *
     * @param path its folder, within the run's
     */
    record Checkpoint(long imagesSeen, String path) implements RunEvent {}

    /** A stage began. */
    record StageBegan(long imagesSeen, String stage) implements RunEvent {}

    /**
     * Something is not as it should be.
     *
     * @param about what was looked at, a word
     * @param reason in a sentence, with what to change
     */
    record Warning(long imagesSeen, String about, String reason) implements RunEvent {}

    /**
     * All images were seen and the result is there.
     *
     * @param path its folder, within the run's
     */
    record Finished(long imagesSeen, String path) implements RunEvent {}

    /**
     * The run ended before its time.
     *
     * @param failed whether by an error, else because somebody stopped it
     * @param reason in a sentence
     */
    record Stopped(long imagesSeen, boolean failed, String reason) implements RunEvent {}

    /** The kind under which it stands in the log. */
    default String kind() {
        return this instanceof Line line
                ? line.about
                : this instanceof StageBegan
                        ? "stage"
                        : getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    /** What stands in its line of the log beside kind, clock and time. */
    default Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        if (this instanceof Started started) {
            values.put("total", started.total);
            values.put("pid", started.pid);
        } else if (this instanceof Sample sample) {
            values.put("path", sample.path);
        } else if (this instanceof Checkpoint checkpoint) {
            values.put("path", checkpoint.path);
        } else if (this instanceof StageBegan began) {
            values.put("stage", began.stage);
        } else if (this instanceof Warning warning) {
            values.put("about", warning.about);
            values.put("reason", warning.reason);
        } else if (this instanceof Finished finished) {
            values.put("path", finished.path);
        } else if (this instanceof Stopped stopped) {
            values.put("failed", stopped.failed);
            values.put("reason", stopped.reason);
        }
        return values;
    }

    /** The event that a line of a log tells; a kind that this version does not know is a {@link Line} of that kind. */
    static RunEvent of(Map<String, Object> entry) {
        long seen = number(entry, "imagesSeen");
        String kind = text(entry, "kind");
        return switch (kind) {
            case "started" -> new Started(seen, number(entry, "total"), number(entry, "pid"));
            case "sample" -> new Sample(seen, text(entry, "path"));
            case "checkpoint" -> new Checkpoint(seen, text(entry, "path"));
            case "stage" -> new StageBegan(seen, text(entry, "stage"));
            case "warning" -> new Warning(seen, text(entry, "about"), text(entry, "reason"));
            case "finished" -> new Finished(seen, text(entry, "path"));
            case "stopped" -> new Stopped(seen, Boolean.TRUE.equals(entry.get("failed")), text(entry, "reason"));
            default -> {
                Map<String, Object> values = new LinkedHashMap<>(entry);
                values.keySet().removeAll(List.of("imagesSeen", "kind", "time"));
                yield new Line(seen, kind, values);
            }
        };
    }

    private static long number(Map<String, Object> entry, String name) {
        return entry.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private static String text(Map<String, Object> entry, String name) {
        return entry.get(name) instanceof String text ? text : "";
    }
}
