/** How good a model is: extractors, the metrics on their features, reference statistics, speed and memory. */
package dev.retort.evaluate;
