package dev.retort.train;

import dev.retort.card.SamplingSpec;
import dev.retort.config.Require;
import dev.retort.data.DataConfig;
import java.util.Map;
import java.util.Optional;

/**
 * What training and distillation runs share.
 *
 * @param seed decides initial values, order, noise and times
 * @param batch images per optimiser step
 * @param data the images
 * @param optimizer AdamW and its rate
 * @param ema moving averages
 * @param compute device, precision, memory
 * @param log what is written
 * @param sampling how the result is sampled by default
 */
public record RunConfig(
        long seed,
        int batch,
        DataConfig data,
        OptimizerConfig optimizer,
        EmaConfig ema,
        ComputeConfig compute,
        LogConfig log,
        SamplingSpec sampling) {
    /** Validates. */
    public RunConfig {
        Require.atLeast("batch", batch, 1);
    }

    /** What a configuration may leave out: all but the data and the learning rate. */
    public static Map<String, ?> defaults() {
        return Map.of("seed", 1, "batch", 32);
    }

    /** What of it the training loop has to know. */
    public LoopConfig loop() {
        return new LoopConfig(seed, batch, data.flip(), compute, log);
    }

    /** How a player learns. */
    public Player.Role.Learns learns() {
        return new Player.Role.Learns(optimizer, Optional.of(ema));
    }
}
