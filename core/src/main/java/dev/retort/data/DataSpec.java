package dev.retort.data;

/** Temporary. */
public record DataSpec(String kind, String path, String split, int size, boolean flip) {}
