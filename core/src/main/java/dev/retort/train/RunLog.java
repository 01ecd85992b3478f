package dev.retort.train;

import dev.retort.card.ModelCard;
import dev.retort.io.ImageGrid;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
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
import java.util.Optional;
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
    private final EncodingCost encoding;

    RunLog(RunFolder run, TrainingJob job, ModelCard card, long imagesSeen, Precision precision, Device device) {
        this.run = run;
        this.job = job;
        this.precision = precision;
        this.device = device;
        Path file = run.path().resolve("log.jsonl");
        jsonl = Files.exists(file) ? JsonlLog.resume(file, imagesSeen) : JsonlLog.create(file);
        Path folder = run.path().resolve("tensorboard");
        board = Files.exists(folder) ? TensorBoardLog.resume(folder, imagesSeen) : TensorBoardLog.create(folder);
        peakFlops = MatmulPeak.measure(precision, device);
        encoding = card.autoencoder() == null ? null : encoding(card, imagesSeen);
    }

    /** Refuses an autoencoder that is not there before anything is trained, and measures what the cache saves. */
    private EncodingCost encoding(ModelCard card, long imagesSeen) {
        try (ImageCodec codec = ImageCodec.of(card, device)) {
            EncodingCost cost = EncodingCost.measure(codec, job.config().batch(), precision, device);
            jsonl.write("encoding", imagesSeen, Map.of("seconds-per-image", cost.secondsPerImage()));
            return cost;
        }
    }

    /** What the latent cache saves, where the data are latents. */
    Optional<EncodingCost> encoding() {
        return Optional.ofNullable(encoding);
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

    /** One log line: everything measured since the last. */
    void write(long imagesSeen, Map<String, Object> values, double imagesPerSecond) {
        // A training step costs three forward passes of two operations per multiply-accumulate.
        values.put("mfu", imagesPerSecond * 6 * job.network().spec().macs() / peakFlops);
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

    /** A grid of samples of the moving average, a row per class. */
    void grid(long imagesSeen, Map<String, Tensor> weights, ModelCard card) {
        try (Scope scope = Scope.open();
                Network network = Architectures.build(card.network(), Init.of(0, device))) {
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
