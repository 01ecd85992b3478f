/**
 * What the losses of step distillation need besides schedules and predictions, as numbers per sample: targets as coefficients of tensors, weights, schedules
 * of a run, scalar losses with their slopes. Each formula stands once, here or in the package above, with its source.
 */
package dev.retort.diffusion.step;
