package dev.retort.train;

/**
 * Where a run stands.
 *
 * @param imagesSeen training images seen before this step
 * @param step optimiser steps before this one, counted by images: {@code imagesSeen} over the batch
 * @param stage share of the present stage that is done, 0..1
 * @param run share of the run that is done, 0..1
 */
public record Clock(long imagesSeen, long step, double stage, double run) {}
