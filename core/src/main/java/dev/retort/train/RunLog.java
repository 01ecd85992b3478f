package dev.retort.train;

import dev.retort.io.ImageGrid;
import dev.retort.model.ModelCard;
import dev.retort.model.Network;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.report.JsonlLog;
import dev.retort.report.TensorBoardLog;
import dev.retort.sample.Draw;
import dev.retort.torch.Device;
import dev.retort.torch.MatmulPeak;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** What a run writes as it goes: JSON lines, TensorBoard events, sample grids. */
final class RunLog implements AutoCloseable {
    private final RunFolder run;
    private final TrainingJob job;
    private final Precision precision;
    private final Device device;
    private final JsonlLog jsonl;
    private final TensorBoardLog board;
    private final double peakFlops;

    RunLog(RunFolder run, TrainingJob job, long imagesSeen, Precision precision, Device device) {
        this.run = run;
        this.job = job;
        this.precision = precision;
        this.device = device;
        Path file = run.path().resolve("log.jsonl");
        jsonl = Files.exists(file) ? JsonlLog.resume(file, imagesSeen) : JsonlLog.create(file);
        Path folder = run.path().resolve("tensorboard");
        board = Files.exists(folder) ? TensorBoardLog.resume(folder, imagesSeen) : TensorBoardLog.create(folder);
        peakFlops = MatmulPeak.measure(precision, device);
    }

    /** The text beside the progress bar. */
    String line(Window window, double loss) {
        return String.format(Locale.ROOT, "loss %.4f, %.0f images/s", loss, window.imagesPerSecond());
    }

    /** One log line: everything measured since the last. */
    void write(long imagesSeen, Map<String, Object> values, double imagesPerSecond) {
        // A training step costs three forward passes of two operations per multiply-accumulate.
        values.put("mfu", imagesPerSecond * 6 * job.network().spec().macs() / peakFlops);
        jsonl.write("train", imagesSeen, values);
        values.forEach((name, value) -> {
            if (value instanceof Number number) {
                board.scalar(name, number.doubleValue(), imagesSeen);
            }
        });
    }

    /** A grid of samples of the moving average, a row per class. */
    void grid(long imagesSeen, Map<String, Tensor> weights, ModelCard card) {
        try (Scope scope = Scope.open();
                Network network = new Dit(card.network(), Init.of(0, device))) {
            network.load(weights);
            network.freeze();
            ImageGrid grid = Draw.classGrid(
                    network,
                    card,
                    precision,
                    Math.min(10, card.classes().size()),
                    job.config().log().samplesPerClass());
            grid.write(run.samples().resolve(String.format(Locale.ROOT, "%012d.png", imagesSeen)), 2);
            board.image("samples", grid.png(1), imagesSeen);
        }
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
