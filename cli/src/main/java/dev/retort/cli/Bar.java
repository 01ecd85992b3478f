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
    /** @param predicted seconds that the task was predicted to take; 0 where it was not */
    static Bar on(Terminal terminal, String task, String unit, double predicted) {
        TimeLeft left = new TimeLeft(System::nanoTime, predicted);
        return terminal.interactive()
                ? drawn(terminal, task, unit, left)
                : new Bar(new Lines(terminal, task, unit, System::nanoTime, left), () -> {});
    }

    private static Bar drawn(Terminal terminal, String task, String unit, TimeLeft left) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit(unit.isEmpty() ? "" : " " + unit, 1)
                .setInitialMax(1)
                .setUpdateIntervalMillis(250)
                .setEtaFunction(state -> left.estimate()) // the library counts what an earlier process did as ours
                .setStyle(terminal.colour() ? ProgressBarStyle.COLORFUL_UNICODE_BLOCK : ProgressBarStyle.ASCII)
                // the launcher measured the width: the library would load native code to ask for it
                .setConsumer(new ConsoleProgressBarConsumer(terminal.err(), terminal.columns() - 1))
                .build();
        Progress progress = (done, total, text) -> {
            left.update(done, total);
            bar.maxHint(total);
            bar.stepTo(done);
            bar.setExtraMessage(text);
        };
        return new Bar(progress, bar::close);
    }

    /** A line at the start, at the end, and every ten seconds between. */
    static Bar printed(Terminal terminal, String task, String unit, LongSupplier nanos) {
        return new Bar(new Lines(terminal, task, unit, nanos, new TimeLeft(nanos)), () -> {});
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
        private final TimeLeft left;
        private boolean started;
        private long lastNanos;

        Lines(Terminal terminal, String task, String unit, LongSupplier nanos, TimeLeft left) {
            this.terminal = terminal;
            this.task = task;
            this.unit = unit;
            this.nanos = nanos;
            this.left = left;
        }

        @Override
        public void update(long done, long total, String text) {
            long now = nanos.getAsLong();
            left.update(done, total);
            if (started && done < total && now - lastNanos < INTERVAL) {
                return;
            }
            started = true;
            lastNanos = now;
            terminal.err()
                    .printf(
                            Locale.ROOT,
                            "%s %d%%%s%s%s%n",
                            task,
                            100 * done / total,
                            unit.isEmpty() ? "" : " (" + done + "/" + total + " " + unit + ")",
                            left.estimate()
                                    .map(time -> ", " + duration(Math.round(time.toMillis() / 1e3)) + " left")
                                    .orElse(""),
                            text.isEmpty() ? "" : ", " + text);
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
