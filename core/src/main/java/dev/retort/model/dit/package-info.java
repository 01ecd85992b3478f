/** The diffusion transformer (Peebles and Xie 2022) and its modern variant. */
package dev.retort.model.dit;
