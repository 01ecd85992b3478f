package dev.retort.quantize;

/**
 * How far a quantised network is from its origin, as norms of differences relative to norms.
 *
 * @param output of the network's guided output, asked about the states that the origin passes through
 * @param sample of what both sample from the same noise
 */
public record Errors(double output, double sample) {}
