/** The one training loop and what it is made of: players, phases, losses, tasks, optimiser, averages, checkpoints. */
package dev.retort.train;
