package dev.retort.card;

import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.config.Require;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** U-Nets by few numbers: the published ones, and small ones to train from nothing. */
public final class UNetSizes {
    /** Sines and cosines that a scale of guidance becomes in latent consistency models. */
    public static final int GUIDANCE_WIDTH = 256;

    private UNetSizes() {}

    /** Stable Diffusion 1.x, for latents of this side (64 at 512 pixels). */
    public static UNetSpec sd15(int side) {
        return stableDiffusion(
                side,
                List.of(
                        Level.of(320, 8, 2, 1),
                        Level.of(640, 8, 2, 1),
                        Level.of(1280, 8, 2, 1),
                        Level.of(1280, 8, 2, 0)),
                new Middle(1),
                Told.of(new Text(Text.CLIP_TOKENS, 768)),
                Convention.STABLE_DIFFUSION);
    }

    /** Stable Diffusion 2.x, for latents of this side (96 at 768 pixels). */
    public static UNetSpec sd21(int side) {
        return stableDiffusion(
                side,
                List.of(
                        Level.of(320, 5, 2, 1),
                        Level.of(640, 10, 2, 1),
                        Level.of(1280, 20, 2, 1),
                        Level.of(1280, 20, 2, 0)),
                new Middle(1),
                Told.of(new Text(Text.CLIP_TOKENS, 1024)),
                Convention.STABLE_DIFFUSION.linear());
    }

    /** Stable Diffusion XL's base, for latents of this side (128 at 1024 pixels). */
    public static UNetSpec sdxl(int side) {
        return stableDiffusion(
                side,
                List.of(Level.of(320, 5, 2, 0), Level.of(640, 10, 2, 2), Level.of(1280, 20, 2, 10)),
                new Middle(10),
                new Told(
                        Optional.of(new Text(Text.CLIP_TOKENS, 2048)),
                        Optional.of(new Pooled(1280, Pooled.SIZES, 256)),
                        0),
                Convention.STABLE_DIFFUSION.linear());
    }

    private static UNetSpec stableDiffusion(
            int side, List<Level> levels, Middle middle, Told told, Convention convention) {
        Grid grid = new Grid(new ImageShape(4, side, side), false, 1);
        return new UNetSpec(grid, levels, Optional.of(middle), told, convention);
    }

    /**
     * A network to train from nothing: linear projections, a middle with as many transformer layers as the smallest level has, at least
     * one, and as many groups in its norms as divide all channels, at most 32.
     *
     * @param image the images or latents
     * @param channels of each level, from full size down
     * @param blocks residual blocks of each level on the way down; on the way up there is one more
     * @param layers transformer layers behind each block, for each level; 0 for none
     * @param headWidth width of an attention head, which divides all channels
     * @param told what it is told beside the time
     */
    public static UNetSpec of(
            ImageShape image, List<Integer> channels, int blocks, List<Integer> layers, int headWidth, Told told) {
        Require.notEmpty("channels", channels);
        Require.atLeast("blocks", blocks, 1);
        Require.that(
                layers.size() == channels.size(), "layers", layers, channels.size() + " entries, one for each level");
        Require.atLeast("headWidth", headWidth, 1);
        BigInteger groups = BigInteger.valueOf(32);
        List<Level> levels = new ArrayList<>();
        for (int i = 0; i < channels.size(); i++) {
            int width = channels.get(i);
            Require.that(width % headWidth == 0, "channels", width, "a multiple of headWidth " + headWidth);
            groups = groups.gcd(BigInteger.valueOf(width));
            levels.add(Level.of(width, width / headWidth, blocks, layers.get(i)));
        }
        return new UNetSpec(
                new Grid(image, false, 1),
                levels,
                Optional.of(new Middle(Math.max(1, layers.get(layers.size() - 1)))),
                told,
                Convention.STABLE_DIFFUSION.linear().withGroups(groups.intValue()));
    }

    /**
     * The same blocks with a share of the channels, in groups and heads of the same widths.
     *
     * @param share above 0, at most 1; all channels, heads and groups of norms must remain whole numbers
     */
    public static UNetSpec narrowed(UNetSpec spec, double share) {
        Require.that(share > 0 && share <= 1, "channels", share, "a share above 0, at most 1");
        List<Level> levels = spec.levels().stream()
                .map(level -> new Level(
                        whole("channels", level.channels(), share),
                        whole("heads", level.heads(), share),
                        level.down(),
                        level.up()))
                .toList();
        Convention convention = spec.convention()
                .withGroups(whole("groups of norms", spec.convention().normGroups(), share));
        return new UNetSpec(spec.grid(), levels, spec.middle(), spec.told(), convention);
    }

    private static int whole(String what, int all, double share) {
        long kept = Math.round(all * share);
        Require.that(
                kept >= 1 && Math.abs(all * share - kept) < 1e-6,
                "channels",
                share,
                "a share that makes a whole number of " + all + " " + what);
        return (int) kept;
    }
}
