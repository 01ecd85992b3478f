/** What a network computes, op by op, as data: values with symbolic batch, nodes, weights by name; no tensor and no libtorch. */
package dev.retort.graph;
