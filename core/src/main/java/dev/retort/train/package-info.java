/** The one training loop, optimiser, moving averages, losses on noised batches, checkpoints, run folder. */
package dev.retort.train;
