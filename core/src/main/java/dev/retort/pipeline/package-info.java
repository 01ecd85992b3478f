/** Models from disk to pictures: the only room that knows which architectures there are. */
package dev.retort.pipeline;
