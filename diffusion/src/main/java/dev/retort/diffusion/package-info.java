/**
 * The mathematics of diffusion as plain arithmetic: schedules, predictions, time grids, weights, guidance, time samplers, and solvers
 * that yield plans of linear combinations for any executor; it knows no tensor and depends on nothing.
 */
package dev.retort.diffusion;
