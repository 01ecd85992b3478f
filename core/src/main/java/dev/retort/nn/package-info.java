/** The layer tree: parameters in Java under their checkpoint names, arithmetic by libtorch's functional ops, taps. */
package dev.retort.nn;
