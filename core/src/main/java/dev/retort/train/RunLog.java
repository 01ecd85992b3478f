package dev.retort.train;

import dev.retort.io.ImageGrid;
import dev.retort.report.JsonlLog;
import dev.retort.report.TensorBoardLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** What a run writes as it goes: JSON lines, TensorBoard events, sample grids. */
final class RunLog implements AutoCloseable {
    private final RunFolder run;
    private final JsonlLog jsonl;
    private final TensorBoardLog board;
    private final double peakFlops;
    private final EncodingCost encoding;

    /**
     * @param peakFlops operations a second that this machine can do
     * @param encoding what the latent cache saves; null where the data are no latents
     */
    RunLog(RunFolder run, long imagesSeen, double peakFlops, EncodingCost encoding) {
        this.run = run;
        this.peakFlops = peakFlops;
        this.encoding = encoding;
        Path file = run.path().resolve("log.jsonl");
        jsonl = Files.exists(file) ? JsonlLog.resume(file, imagesSeen) : JsonlLog.create(file);
        Path folder = run.path().resolve("tensorboard");
        board = Files.exists(folder) ? TensorBoardLog.resume(folder, imagesSeen) : TensorBoardLog.create(folder);
        if (encoding != null) {
            jsonl.write("encoding", imagesSeen, Map.of("seconds-per-image", encoding.secondsPerImage()));
        }
    }

    /** The text beside the progress bar. */
    String line(Window window, double loss) {
        double speed = window.imagesPerSecond();
        String text = String.format(Locale.ROOT, "loss %.4f, %.0f images/s", loss, speed);
        return encoding == null
                ? text
                : text
                        + String.format(
                                Locale.ROOT, " (%.0f without the cache)", encoding.imagesPerSecondWithout(speed));
    }

    /**
     * One log line: everything measured since the last.
     *
     * @param macs multiply-accumulates of a forward pass for one image; 0 where nobody counted
     */
    void write(long imagesSeen, Map<String, Object> values, double imagesPerSecond, long macs) {
        if (macs > 0) {
            // A training step costs three forward passes of two operations per multiply-accumulate.
            values.put("mfu", imagesPerSecond * 6 * macs / peakFlops);
        }
        if (encoding != null && values.get("images-per-second") instanceof Double speed) {
            values.put("images-per-second-without-cache", encoding.imagesPerSecondWithout(speed));
        }
        jsonl.write("train", imagesSeen, values);
        values.forEach((name, value) -> {
            if (value instanceof Number number) {
                board.scalar(name, number.doubleValue(), imagesSeen);
            }
        });
    }

    /** A picture of the result so far. */
    void picture(long imagesSeen, ImageGrid grid) {
        grid.write(run.samples().resolve(String.format(Locale.ROOT, "%012d.png", imagesSeen)), 2);
        board.image("samples", grid.png(1), imagesSeen);
    }

    @Override
    public void close() {
        try {
            jsonl.close();
        } finally {
            board.close();
        }
    }
}
