/** Image classifiers whose pooled features measure the distance of images: a small network of our own, and ResNet-20. */
package dev.retort.model.classifier;
