package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;

/**
 * The shape of an AutoencoderKL (Rombach et al. 2022).
 *
 * @param imageChannels colour channels in and out
 * @param latentChannels channels of a latent
 * @param widths channels of each level, from full size down; each level but the last halves the size
 * @param layersPerBlock residual blocks of an encoder level; a decoder level has one more
 * @param normGroups groups of every group norm
 * @param midAttention whether the middle has an attention between its two residual blocks
 * @param quantConv whether a 1x1 convolution follows the encoder
 * @param postQuantConv whether a 1x1 convolution precedes the decoder
 * @param scale how latents become what a diffusion network sees
 */
public record KlSpec(
        int imageChannels,
        int latentChannels,
        List<Integer> widths,
        int layersPerBlock,
        int normGroups,
        boolean midAttention,
        boolean quantConv,
        boolean postQuantConv,
        LatentScale scale)
        implements AutoencoderSpec {
    /** Validates. */
    public KlSpec {
        Require.atLeast("imageChannels", imageChannels, 1);
        Require.atLeast("latentChannels", latentChannels, 1);
        Require.notEmpty("widths", widths);
        Require.atLeast("layersPerBlock", layersPerBlock, 1);
        Require.atLeast("normGroups", normGroups, 1);
        for (int width : widths) {
            Require.that(
                    width >= 1 && width % normGroups == 0, "widths", width, "multiples of normGroups " + normGroups);
        }
        widths = List.copyOf(widths);
        scale.requireChannels(latentChannels);
    }

    @Override
    public String kind() {
        return "AutoencoderKL";
    }

    @Override
    public int downscale() {
        return 1 << (widths.size() - 1);
    }

    @Override
    public boolean hasVariance() {
        return true;
    }
}
