/** Draws pictures from an exported student on ONNX Runtime: no libtorch, no configuration, one file. */
package dev.retort.runtime;
