package dev.retort.graph;

import dev.retort.io.Dtype;

/**
 * A tensor of a graph: an input, a weight, a constant, or what a node makes.
 *
 * @param name within its graph no other value has it; that of a weight is its name in checkpoints
 * @param type of its elements
 * @param shape for any batch
 */
public record Value(String name, Dtype type, Shape shape) {}
