/**
 * Byte formats without knowledge of models: tensors of any file through one view ({@link dev.retort.io.TensorFile}),
 * pictures, and writes that are all there or not at all.
 */
package dev.retort.io;
