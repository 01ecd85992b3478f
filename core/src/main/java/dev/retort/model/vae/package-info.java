/** Autoencoders between pictures and latents: AutoencoderKL, its tiny counterpart, their files, and decoding in tiles. */
package dev.retort.model.vae;
