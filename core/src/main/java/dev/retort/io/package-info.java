/** Byte formats without knowledge of models: safetensors, npz, pictures, and writes that are all there or not at all. */
package dev.retort.io;
