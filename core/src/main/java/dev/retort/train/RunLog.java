package dev.retort.train;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.ImageGrid;
import dev.retort.report.TensorBoardLog;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** What a run writes as it goes: JSON lines, TensorBoard events, sample grids. */
final class RunLog implements AutoCloseable {
    private final RunFolder run;
    private final RunEvents events;
    private final TensorBoardLog board;
    private final double peakFlops;
    private final EncodingCost encoding;

    /**
     * @param total images that the whole run sees
     * @param peakFlops operations a second that this machine can do
     * @param encoding what the latent cache saves; null where the data are no latents
     */
    RunLog(RunFolder run, long imagesSeen, long total, double peakFlops, EncodingCost encoding) {
        this.run = run;
        this.peakFlops = peakFlops;
        this.encoding = encoding;
        events = RunEvents.start(run, imagesSeen, total);
        Path folder = run.path().resolve("tensorboard");
        board = Files.exists(folder) ? TensorBoardLog.resume(folder, imagesSeen) : TensorBoardLog.create(folder);
        if (encoding != null) {
            events.write(new RunEvent.Line(
                    imagesSeen,
                    RunEvent.Line.ENCODING,
                    Map.of(TrainingMetric.SECONDS_PER_IMAGE, encoding.secondsPerImage())));
        }
    }

    /**
     * The text beside the progress bar.
     *
     * @param loss of the last steps; NaN where the network has taken none yet, as others learn first
     */
    String line(StepStatistics statistics, double loss) {
        double speed = statistics.imagesPerSecond();
        String text = (Double.isNaN(loss) ? "" : String.format(Locale.ROOT, "loss %.4f, ", loss))
                + String.format(Locale.ROOT, "%.0f images/s", speed);
        return encoding == null
                ? text
                : text
                        + String.format(
                                Locale.ROOT, " (%.0f without the cache)", encoding.imagesPerSecondWithout(speed));
    }

    /**
     * One log line: everything measured since the last.
     *
     * @param values by name; those that follow from the speed among them are added
     * @param macs multiply-accumulates of a forward pass for one image; 0 where nobody counted
     */
    void write(long imagesSeen, Map<String, Object> values, long macs) {
        double speed = (double) values.get(TrainingMetric.IMAGES_PER_SECOND);
        if (macs > 0) {
            // A training step costs three forward passes of two operations per multiply-accumulate.
            values.put(TrainingMetric.UTILISATION, speed * 6 * macs / peakFlops);
        }
        if (encoding != null) {
            values.put(TrainingMetric.IMAGES_PER_SECOND_WITHOUT_CACHE, encoding.imagesPerSecondWithout(speed));
        }
        line(imagesSeen, RunEvent.Line.TRAIN, values);
    }

    /** Losses on images that are not learned. */
    void heldOut(long imagesSeen, Map<String, Object> values) {
        line(imagesSeen, RunEvent.Line.HELD_OUT, values);
    }

    private void line(long imagesSeen, String about, Map<String, Object> values) {
        events.write(new RunEvent.Line(imagesSeen, about, values));
        values.forEach((name, value) -> {
            if (value instanceof Number number) {
                board.scalar(name, number.doubleValue(), imagesSeen);
            }
        });
    }

    /** A picture of the result so far. */
    void picture(long imagesSeen, ImageGrid grid) {
        Path picture = run.samples().resolve(String.format(Locale.ROOT, "%012d.png", imagesSeen));
        grid.write(picture, 2);
        events.write(new RunEvent.Sample(imagesSeen, inRun(picture)));
        board.image("samples", grid.png(1), imagesSeen);
    }

    /** Something is not as it should be. */
    void warned(long imagesSeen, String about, String sentence) {
        events.write(new RunEvent.Warning(imagesSeen, about, sentence));
    }

    /** A stage began. */
    void began(long imagesSeen, String stage) {
        events.write(new RunEvent.StageBegan(imagesSeen, stage));
    }

    /** A checkpoint was saved. */
    void saved(long imagesSeen, Path checkpoint) {
        events.write(new RunEvent.Checkpoint(imagesSeen, inRun(checkpoint)));
    }

    /** The result is there. */
    void finished(long imagesSeen, Path result) {
        events.write(new RunEvent.Finished(imagesSeen, inRun(result)));
    }

    /** The run ends before its time. */
    void stopped(long imagesSeen, RuntimeException why) {
        boolean asked = why instanceof RetortException known && known.kind() == Kind.INTERRUPTED;
        events.write(new RunEvent.Stopped(imagesSeen, !asked, String.valueOf(why.getMessage())));
    }

    private String inRun(Path path) {
        return run.path().toAbsolutePath().relativize(path.toAbsolutePath()).toString();
    }

    @Override
    public void close() {
        try {
            events.close();
        } finally {
            board.close();
        }
    }
}
