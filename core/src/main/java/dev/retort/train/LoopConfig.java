package dev.retort.train;

/**
 * What the training loop has to know, whatever is trained.
 *
 * @param seed decides order, mirroring, noise, times
 * @param batch images per step
 * @param flip whether half of the images are mirrored
 * @param compute device, precision, memory
 * @param log what is written
 */
public record LoopConfig(long seed, int batch, boolean flip, ComputeConfig compute, LogConfig log) {}
