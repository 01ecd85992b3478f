/** Losses by which a student learns to need fewer steps. None of them knows how it is trained. */
package dev.retort.distill.step;
