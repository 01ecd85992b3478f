package dev.retort.train;

/**
 * Where a run stands; with the tensors beside it, all that a resumed run needs to equal one never stopped.
 *
 * @param imagesSeen the clock
 * @param steps optimiser steps taken
 * @param microBatch images per backward pass, kept so that sums are taken in the same order
 * @param skippedSteps steps skipped for a non-finite or exploding loss
 * @param skippedInARow how many of them were the latest ones
 * @param averageLoss running mean of the loss; NaN before the first step
 * @param seconds time spent training
 */
public record TrainState(
        long imagesSeen,
        long steps,
        int microBatch,
        long skippedSteps,
        int skippedInARow,
        double averageLoss,
        double seconds) {
    /** The start of a run. */
    public static TrainState start(int microBatch) {
        return new TrainState(0, 0, microBatch, 0, 0, -1, 0);
    }
}
