package dev.retort.train;

import dev.retort.card.ConvSpec;
import dev.retort.config.Require;
import dev.retort.data.DataConfig;
import java.util.List;
import java.util.Map;

/**
 * Training of a classifier on a labelled data set.
 *
 * @param name short name, as it stands in the names of metrics: {@code CNNfashion}
 * @param images training images to see
 * @param seed decides initial values, order, mirroring and shifts
 * @param batch images per step
 * @param data the images; their split {@code test} measures the accuracy
 * @param shift training images are moved by up to this many pixels each way
 * @param stages output channels of each convolution of each stage
 * @param optimizer AdamW and its rate
 * @param device {@code auto}, {@code cpu} or {@code cuda[:n]}
 * @param precision {@code auto}, {@code fp32} or {@code bf16} in training; the accuracy is always measured in fp32
 */
public record ClassifierConfig(
        String name,
        long images,
        long seed,
        int batch,
        DataConfig data,
        int shift,
        List<List<Integer>> stages,
        OptimizerConfig optimizer,
        String device,
        String precision) {
    private static final int LOG_LINES = 100;
    private static final int CHECKPOINTS = 10;

    /** Validates. */
    public ClassifierConfig {
        Require.that(name.matches("[A-Za-z0-9][A-Za-z0-9._+-]*"), "name", name, "letters, digits and ._+-");
        Require.atLeast("images", images, 1);
        Require.atLeast("batch", batch, 2);
        Require.between("shift", shift, 0, 64);
        ConvSpec.requireStages(stages);
    }

    /**
     * What a configuration may leave out. A classifier sees its images often, hence the stronger decay; batch norm keeps its
     * gradients in bounds, so nothing is clipped.
     */
    public static Map<String, ?> defaults() {
        return Map.of(
                "seed",
                1,
                "batch",
                128,
                "shift",
                0,
                "optimizer",
                Map.of("lr", 0.004, "warmupImages", 20_000, "weightDecay", 0.05, "clip", 0),
                "device",
                "auto",
                "precision",
                "auto");
    }

    /** What of it the training loop has to know. */
    LoopConfig loop() {
        return new LoopConfig(
                seed,
                batch,
                data.flip(),
                new ComputeConfig(device, precision, false, batch, 0, 1),
                new LogConfig(Math.max(1, images / LOG_LINES), 0, 1, Math.max(1, images / CHECKPOINTS)));
    }
}
