package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;

/**
 * The shape of an AutoencoderTiny (madebyollin/taesd).
 *
 * @param imageChannels colour channels in and out
 * @param latentChannels channels of a latent
 * @param width channels inside
 * @param encoderBlocks blocks of each encoder level, from full size down
 * @param decoderBlocks blocks of each decoder level, from the latent up
 * @param pooled whether the blocks of the smallest size have the normalised branch of TAEF2
 * @param latentMagnitude bound of a latent when it is shown as values in [0, 1]
 * @param latentShift where 0 lies then
 * @param scale how latents become what a diffusion network sees
 */
public record TinySpec(
        int imageChannels,
        int latentChannels,
        int width,
        List<Integer> encoderBlocks,
        List<Integer> decoderBlocks,
        boolean pooled,
        double latentMagnitude,
        double latentShift,
        LatentScale scale)
        implements AutoencoderSpec {
    /** Groups of the norm in the branch. */
    public static final int POOL_GROUPS = 4;

    /** Validates. */
    public TinySpec {
        Require.atLeast("imageChannels", imageChannels, 1);
        Require.atLeast("latentChannels", latentChannels, 1);
        Require.atLeast("width", width, 1);
        Require.notEmpty("encoderBlocks", encoderBlocks);
        Require.that(
                encoderBlocks.size() == decoderBlocks.size(),
                "decoderBlocks",
                decoderBlocks.size() + " levels",
                "as many as encoderBlocks has: " + encoderBlocks.size());
        Require.positive("latentMagnitude", latentMagnitude);
        encoderBlocks = List.copyOf(encoderBlocks);
        decoderBlocks = List.copyOf(decoderBlocks);
        scale.requireChannels(latentChannels);
    }

    /** The published shape: three halvings, 64 channels, latents as the diffusion network sees them. */
    public static TinySpec published(int latentChannels, boolean pooled) {
        return new TinySpec(
                3, latentChannels, 64, List.of(1, 3, 3, 3), List.of(3, 3, 3, 1), pooled, 3, 0.5, LatentScale.of(1));
    }

    @Override
    public String kind() {
        return "AutoencoderTiny";
    }

    @Override
    public int downscale() {
        return 1 << (encoderBlocks.size() - 1);
    }

    @Override
    public boolean hasVariance() {
        return false;
    }
}
