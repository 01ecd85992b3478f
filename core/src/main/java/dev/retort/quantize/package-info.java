/** Networks of fewer bits: what a kernel of 8 or 4 bits needs to know, measured where a model is sampled. */
package dev.retort.quantize;
