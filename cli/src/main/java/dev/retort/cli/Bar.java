package dev.retort.cli;

import dev.retort.error.Printable;
import dev.retort.report.Progress;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress of one task, to be closed when it ends. */
record Bar(Progress shown, Runnable end) implements Progress, AutoCloseable {
    static Bar on(Terminal terminal, String task, String unit) {
        return terminal.interactive() ? drawn(terminal, task, unit) : printed(terminal, task, unit, System::nanoTime);
    }

    private static Bar drawn(Terminal terminal, String task, String unit) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit(unit.isEmpty() ? "" : " " + unit, 1)
                .setInitialMax(1)
                .setUpdateIntervalMillis(250)
                .setStyle(terminal.colour() ? ProgressBarStyle.COLORFUL_UNICODE_BLOCK : ProgressBarStyle.ASCII)
                // the launcher measured the width: the library would load native code to ask for it
                .setConsumer(new ConsoleProgressBarConsumer(terminal.err(), terminal.columns() - 1))
                .build();
        Progress progress = (done, total, text) -> {
            bar.maxHint(total);
            bar.stepTo(done);
            bar.setExtraMessage(text);
        };
        return new Bar(progress, bar::close);
    }

    /** A line at the start, at the end, and every ten seconds between. */
    static Bar printed(Terminal terminal, String task, String unit, LongSupplier nanos) {
        return new Bar(new Lines(terminal, task, unit, nanos), () -> {});
    }

    @Override
    public void update(long done, long total, String text) {
        shown.update(Math.min(done, total), total, Printable.line(text)); // a last batch may reach beyond the end
    }

    @Override
    public void close() {
        end.run();
    }

    private static final class Lines implements Progress {
        private static final long INTERVAL = Duration.ofSeconds(10).toNanos();
        private final Terminal terminal;
        private final String task;
        private final String unit;
        private final LongSupplier nanos;
        private boolean started;
        private long startDone;
        private long startNanos;
        private long lastNanos;

        Lines(Terminal terminal, String task, String unit, LongSupplier nanos) {
            this.terminal = terminal;
            this.task = task;
            this.unit = unit;
            this.nanos = nanos;
        }

        @Override
        public void update(long done, long total, String text) {
            long now = nanos.getAsLong();
            if (!started) {
                started = true;
                startDone = done;
                startNanos = now;
            } else if (done < total && now - lastNanos < INTERVAL) {
                return;
            }
            lastNanos = now;
            terminal.err()
                    .printf(
                            Locale.ROOT,
                            "%s %d%%%s%s%s%n",
                            task,
                            100 * done / total,
                            unit.isEmpty() ? "" : " (" + done + "/" + total + " " + unit + ")",
                            left(done, total, now),
                            text.isEmpty() ? "" : ", " + text);
        }

        private String left(long done, long total, long now) {
            if (done <= startDone || done >= total) {
                return "";
            }
            double seconds = (now - startNanos) / 1e9 / (done - startDone) * (total - done);
            return ", " + duration(Math.round(seconds)) + " left";
        }
    }

    /** {@code 45 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
    static String duration(long seconds) {
        if (seconds < 60) {
            return seconds + " s";
        }
        return seconds < 3600
                ? seconds / 60 + " min " + seconds % 60 + " s"
                : seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }
}
