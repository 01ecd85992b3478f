package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.config.Require;
import java.util.List;
import java.util.Map;

/**
 * What a latent cache holds and where it came from; stands in the cache's folder as {@code latents.json}.
 *
 * @param format version of the layout
 * @param autoencoder what encoded it
 * @param source where the pictures lie
 * @param sourceName short name of the pictures, such as {@code sign-digits/train}
 * @param sourceHash fingerprint of the pictures, in hex
 * @param classNames what each label means
 * @param images number of pictures
 * @param height rows of a latent
 * @param width columns of a latent
 * @param shardImages pictures in each file but the last
 * @param variance whether standard deviations stand beside the means
 * @param provenance where, when and by which command it was made
 */
public record LatentManifest(
        int format,
        AutoencoderCard autoencoder,
        DataConfig source,
        String sourceName,
        String sourceHash,
        List<String> classNames,
        long images,
        int height,
        int width,
        int shardImages,
        boolean variance,
        Map<String, String> provenance) {
    /** The version this program writes. */
    public static final int FORMAT = 1;

    /** Validates. */
    public LatentManifest {
        Require.atLeast("images", images, 1);
        Require.atLeast("height", height, 1);
        Require.atLeast("width", width, 1);
        Require.atLeast("shardImages", shardImages, 1);
    }

    /** How the pictures are cut into files. */
    public Shards shards() {
        return new Shards("latents", images, shardImages);
    }

    /** Values of one latent. */
    public int values() {
        return autoencoder.latentChannels() * height * width;
    }

    /** Whether files written under the other manifest belong to this one as they are. */
    public boolean sameLatents(LatentManifest other) {
        return format == other.format
                && autoencoder.sameLatents(other.autoencoder)
                && sourceHash.equals(other.sourceHash)
                && classNames.equals(other.classNames)
                && images == other.images
                && height == other.height
                && width == other.width
                && shardImages == other.shardImages
                && variance == other.variance;
    }
}
