package dev.retort.card;

/**
 * What goes into a classifier and what comes out.
 *
 * @param channels colour channels: 1 or 3
 * @param height rows
 * @param width columns
 * @param featureSize length of a feature vector
 * @param classes number of classes
 */
public record ClassifierShape(int channels, int height, int width, int featureSize, int classes) {}
