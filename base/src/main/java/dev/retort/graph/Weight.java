package dev.retort.graph;

/**
 * A tensor that checkpoints hold.
 *
 * @param value under its name in checkpoints
 * @param trained whether it is a parameter; a buffer else (a position table, running statistics)
 */
public record Weight(Value value, boolean trained) {}
