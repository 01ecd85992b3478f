/** Whole training and sampling steps timed, weighed and set beside plain PyTorch on the same network. */
package dev.retort.bench;
