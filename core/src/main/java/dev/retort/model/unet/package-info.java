/** The U-Nets of the Stable Diffusion family. */
package dev.retort.model.unet;
