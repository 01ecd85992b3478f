/** The text encoders of CLIP. */
package dev.retort.model.clip;
