/** Models from disk to pictures: the only package that knows which architectures there are. */
package dev.retort.pipeline;
