/** Where pictures come from: sources, decoding, augmentation and a loader whose order is a pure function of the clock. */
package dev.retort.data;
