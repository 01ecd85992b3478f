/** ONNX files: what a {@code graph} is in them, written node by node; no tensor and no ONNX Runtime. */
package dev.retort.onnx;
