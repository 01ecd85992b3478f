/** Executes solver plans on tensors: guidance, batches, one address of randomness per sample. */
package dev.retort.sample;
