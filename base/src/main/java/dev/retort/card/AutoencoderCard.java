package dev.retort.card;

/**
 * Which autoencoder made latents, as caches and model cards record it.
 *
 * @param kind {@code AutoencoderKL} or {@code AutoencoderTiny}
 * @param path where it lay
 * @param sha256 hash of its weights' files, in hex; of one that lies in a file of the original layout, of its weights
 * @param imageChannels colour channels of its pictures
 * @param latentChannels channels of its latents
 * @param downscale pixels of a side that become one latent cell
 * @param scale how its latents become what a diffusion network sees
 */
public record AutoencoderCard(
        String kind,
        String path,
        String sha256,
        int imageChannels,
        int latentChannels,
        int downscale,
        LatentScale scale) {
    /** Shape of the pictures that latents of a shape become. */
    public ImageShape images(ImageShape latents) {
        return new ImageShape(imageChannels, latents.height() * downscale, latents.width() * downscale);
    }

    /** Whether both make latents of one shape and scale; the weights may differ, as those of a tuned decoder do. */
    public boolean sameSpace(AutoencoderCard other) {
        return imageChannels == other.imageChannels
                && latentChannels == other.latentChannels
                && downscale == other.downscale
                && scale.equals(other.scale);
    }

    /** Whether both make the same latents: one shape and scale, from the same weights. */
    public boolean sameLatents(AutoencoderCard other) {
        return sameSpace(other) && sha256.equals(other.sha256);
    }

    /** In the words of an error: {@code 4 latent channels, 8 times smaller, scale 0.18215}. */
    public String space() {
        StringBuilder text = new StringBuilder(
                latentChannels + " latent channels, " + downscale + " times smaller, scale " + scale.scale());
        if (scale.shift() != 0) {
            text.append(", shift ").append(scale.shift());
        }
        if (!scale.mean().isEmpty() || !scale.std().isEmpty()) {
            text.append(", normalised per channel");
        }
        return text.toString();
    }
}
