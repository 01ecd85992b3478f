/**
 * Byte formats without knowledge of models: tensors of any file through one view ({@link dev.retort.io.TensorFile}),
 * pictures, writes that are all there or not at all, and the right to write into a folder.
 */
package dev.retort.io;
