package dev.retort.card;

import dev.retort.config.Require;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The shape of a U-Net of the Stable Diffusion family (Rombach et al. 2022): levels of residual blocks and transformers, each level of
 * half the size of the one above it, whose outputs on the way down are handed across to the way up. Its weights have the names of
 * diffusers' {@code UNet2DConditionModel}.
 *
 * @param grid what it takes and returns
 * @param levels from full size down
 * @param middle what lies between the way down and the way up, if anything does
 * @param told what it is told beside the time
 * @param convention in what weights of the same shapes may be meant differently
 */
public record UNetSpec(Grid grid, List<Level> levels, Optional<Middle> middle, Told told, Convention convention)
        implements NetworkSpec {
    /**
     * What a network takes and returns.
     *
     * @param image the images or latents; rows and columns need be multiples of nothing
     * @param learnSigma whether variance channels are predicted as well
     * @param outputs how many predictions its last layer makes
     */
    public record Grid(ImageShape image, boolean learnSigma, int outputs) {
        /** Validates. */
        public Grid {
            Require.atLeast("image.channels", image.channels(), 1);
            Require.atLeast("image.height", image.height(), 1);
            Require.atLeast("image.width", image.width(), 1);
            Require.atLeast("outputs", outputs, 1);
            Require.that(outputs == 1 || !learnSigma, "outputs", outputs, "1 where a variance is learned");
        }

        /** Channels of the output. */
        public int outChannels() {
            return (learnSigma ? 2 : outputs) * image.channels();
        }
    }

    /**
     * The blocks of one size. A list has an entry for each residual block: how many layers the transformer behind it has, 0 for none;
     * on one way all of a level have a transformer, or none has.
     *
     * @param channels of each of its blocks
     * @param heads attention heads; as in Stable Diffusion their number is what is given, whatever their width
     * @param down on the way down
     * @param up on the way up, in the order in which they compute: one block more than on the way down
     */
    public record Level(int channels, int heads, List<Integer> down, List<Integer> up) {
        /** Validates. */
        public Level {
            Require.atLeast("channels", channels, 1);
            Require.that(heads >= 1 && channels % heads == 0, "heads", heads, "a divisor of channels " + channels);
            down = requireAlike("down", down);
            up = requireAlike("up", up);
            Require.that(up.size() == down.size() + 1, "up", up, down.size() + 1 + " entries, one more than down");
        }

        /** So many blocks, each with a transformer of so many layers; on the way up one more. */
        public static Level of(int channels, int heads, int blocks, int layers) {
            return new Level(
                    channels, heads, Collections.nCopies(blocks, layers), Collections.nCopies(blocks + 1, layers));
        }

        private static List<Integer> requireAlike(String field, List<Integer> layers) {
            Require.notEmpty(field, layers);
            Require.that(
                    layers.stream().allMatch(count -> count >= 1)
                            || layers.stream().allMatch(count -> count == 0),
                    field,
                    layers,
                    "layers of a transformer for every residual block, or 0 for every one");
            return List.copyOf(layers);
        }
    }

    /**
     * What lies at the smallest size between the way down and the way up.
     *
     * @param layers of the transformer between two residual blocks; 0 for one residual block alone
     */
    public record Middle(int layers) {
        /** Validates. */
        public Middle {
            Require.atLeast("layers", layers, 0);
        }
    }

    /**
     * What a network is told beside the time.
     *
     * @param text states of a text encoder, which every layer of every transformer attends to; none where it attends to itself alone
     * @param pooled one vector for the text, and sizes of the picture, added to the time's
     * @param guidanceWidth sines and cosines that the scale of guidance becomes; 0 where it is not told one
     */
    public record Told(Optional<Text> text, Optional<Pooled> pooled, int guidanceWidth) {
        /** The time alone. */
        public static final Told NOTHING = new Told(Optional.empty(), Optional.empty(), 0);

        /** Validates. */
        public Told {
            Require.that(
                    guidanceWidth >= 0 && guidanceWidth % 2 == 0 && guidanceWidth != 2,
                    "guidanceWidth",
                    guidanceWidth,
                    "0, or an even number from 4 on");
        }

        /** A text and nothing else. */
        public static Told of(Text text) {
            return new Told(Optional.of(text), Optional.empty(), 0);
        }
    }

    /**
     * States of a text encoder.
     *
     * @param tokens how many there are for each text; no weight depends on it
     * @param width of each
     */
    public record Text(int tokens, int width) {
        /** Tokens of a text for CLIP. */
        public static final int CLIP_TOKENS = 77;

        /** Validates. */
        public Text {
            Require.atLeast("tokens", tokens, 1);
            Require.atLeast("width", width, 1);
        }
    }

    /**
     * What Stable Diffusion XL adds to the time's embedding.
     *
     * @param width of the vector for the whole text
     * @param ids numbers that tell the sizes and the crop of the picture
     * @param idWidth sines and cosines that each of them becomes
     */
    public record Pooled(int width, int ids, int idWidth) {
        /** Height and width of the picture, top and left of its crop, height and width that are wanted. */
        public static final int SIZES = 6;

        /** Validates. */
        public Pooled {
            Require.atLeast("width", width, 1);
            Require.atLeast("ids", ids, 0);
            Require.that(idWidth >= 2 && idWidth % 2 == 0, "idWidth", idWidth, "an even number from 2 on");
        }

        /** All values that are embedded. */
        public int values() {
            return width + ids * idWidth;
        }
    }

    /**
     * In what networks differ whose weights are alike.
     *
     * @param normGroups groups of every group norm
     * @param normEps of every group norm of a residual block and of the last one; those of transformers have 1e-6
     * @param linearProjections whether a transformer's first and last projection are linear layers, not 1x1 convolutions
     * @param upcastAttention whether 16-bit arithmetic computes attention in fp32
     * @param cosinesFirst whether the cosines of a time stand before its sines
     * @param frequencyShift frequencies of a time are 10000^(-k/(half - shift))
     */
    public record Convention(
            int normGroups,
            double normEps,
            boolean linearProjections,
            boolean upcastAttention,
            boolean cosinesFirst,
            int frequencyShift) {
        /** Stable Diffusion's. */
        public static final Convention STABLE_DIFFUSION = new Convention(32, 1e-5, false, false, true, 0);

        /** Validates. */
        public Convention {
            Require.atLeast("normGroups", normGroups, 1);
            Require.positive("normEps", normEps);
            Require.atLeast("frequencyShift", frequencyShift, 0);
        }

        /** The same with another number of groups. */
        public Convention withGroups(int groups) {
            return new Convention(groups, normEps, linearProjections, upcastAttention, cosinesFirst, frequencyShift);
        }

        /** The same with linear projections. */
        public Convention linear() {
            return new Convention(normGroups, normEps, true, upcastAttention, cosinesFirst, frequencyShift);
        }

        /** The same with attention in fp32. */
        public Convention upcast() {
            return new Convention(normGroups, normEps, linearProjections, true, cosinesFirst, frequencyShift);
        }
    }

    /** Validates. */
    public UNetSpec {
        Require.notEmpty("levels", levels);
        levels = List.copyOf(levels);
        for (Level level : levels) {
            Require.that(
                    level.channels() % convention.normGroups() == 0,
                    "levels.channels",
                    level.channels(),
                    "a multiple of convention.normGroups " + convention.normGroups());
        }
        int first = levels.get(0).channels();
        Require.that(
                first % 2 == 0,
                "levels.channels",
                first,
                "an even number at full size: a time becomes that many values");
        Require.that(
                first / 2 > convention.frequencyShift(),
                "convention.frequencyShift",
                convention.frequencyShift(),
                "below half of the " + first + " channels at full size");
    }

    /** The same of other levels and middle. */
    public UNetSpec with(List<Level> others, Optional<Middle> between) {
        return new UNetSpec(grid, others, between, told, convention);
    }

    /** The same for images or latents of another size. */
    public UNetSpec with(ImageShape image) {
        return with(new Grid(image, grid.learnSigma, grid.outputs));
    }

    /** The same that takes and returns something else. */
    public UNetSpec with(Grid other) {
        return new UNetSpec(other, levels, middle, told, convention);
    }

    @Override
    public UNetSpec with(ScalarInputs numbers) {
        if (numbers.hasEndTime()) {
            NetworkSpec.super.with(numbers);
        }
        int width =
                !numbers.guidance() ? 0 : told.guidanceWidth() > 0 ? told.guidanceWidth() : UNetSizes.GUIDANCE_WIDTH;
        return new UNetSpec(grid, levels, middle, new Told(told.text(), told.pooled(), width), convention);
    }

    @Override
    public UNetSpec withOutputs(int heads) {
        return with(new Grid(grid.image, grid.learnSigma, heads));
    }

    /** The smallest network with the same input, output and conditions: next to no weights. */
    public UNetSpec minimal() {
        Level level = Level.of(4, 1, 1, told.text().isPresent() ? 1 : 0);
        return new UNetSpec(
                grid,
                List.of(level),
                Optional.empty(),
                told,
                Convention.STABLE_DIFFUSION.linear().withGroups(1));
    }

    @Override
    public String name() {
        return "UNet-" + channelsOfLevels("-");
    }

    private String channelsOfLevels(String between) {
        return levels.stream().map(level -> Integer.toString(level.channels())).collect(Collectors.joining(between));
    }

    @Override
    public int channels() {
        return grid.image().channels();
    }

    @Override
    public int height() {
        return grid.image().height();
    }

    @Override
    public int width() {
        return grid.image().width();
    }

    @Override
    public int sizeMultiple() {
        return 1 << levels.size() - 1;
    }

    /** No weight depends on the size. */
    @Override
    public UNetSpec withSize(int height, int width) {
        return with(new ImageShape(channels(), height, width));
    }

    @Override
    public boolean learnSigma() {
        return grid.learnSigma();
    }

    @Override
    public int outputs() {
        return grid.outputs();
    }

    /** Width of the embedding of time and whatever is added to it. */
    public int embedding() {
        return 4 * levels.get(0).channels();
    }

    /** Rows at a level. */
    public int rows(int level) {
        return halved(height(), level);
    }

    /** Columns at a level. */
    public int cols(int level) {
        return halved(width(), level);
    }

    /** Halves are rounded up. */
    private static int halved(int size, int times) {
        return (size + (1 << times) - 1) >> times;
    }

    @Override
    public ScalarInputs scalars() {
        return new ScalarInputs(told.guidanceWidth() > 0, 0);
    }

    /**
     * Text, pooled text and sizes, where it is told them; the empty text is "no condition". A network without text knows one class, which
     * says nothing.
     */
    @Override
    public ConditionSpec condition() {
        Map<Part, List<Integer>> parts = new EnumMap<>(Part.class);
        told.text().ifPresent(text -> parts.put(Part.TEXT, List.of(text.tokens(), text.width())));
        told.pooled().ifPresent(pooled -> {
            parts.put(Part.POOLED, List.of(pooled.width()));
            if (pooled.ids() > 0) {
                parts.put(Part.TIME_IDS, List.of(pooled.ids()));
            }
        });
        ConditionSpec told = parts.isEmpty() ? ConditionSpec.ofClasses(1, false) : new ConditionSpec(parts, 0, true);
        return told.withNumbers(scalars().parts());
    }

    @Override
    public long parameters() {
        return UNetLayers.of(this).parameters();
    }

    @Override
    public long macs() {
        return UNetLayers.of(this).macs();
    }

    @Override
    public String parts() {
        return "levels of " + channelsOfLevels(", ") + " channels"
                + told.text().map(text -> ", text of width " + text.width()).orElse("");
    }

    /** {@code down_blocks.0} and on, {@code mid_block}, {@code up_blocks.0} and on: each behind its change of size. */
    @Override
    public List<TapPoint> taps() {
        int last = levels.size() - 1;
        List<TapPoint> taps = new ArrayList<>();
        IntStream.rangeClosed(0, last)
                .mapToObj(i -> tap("down_blocks." + i, i, Math.min(i + 1, last)))
                .forEach(taps::add);
        middle.ifPresent(there -> taps.add(tap("mid_block", last, last)));
        IntStream.rangeClosed(0, last)
                .mapToObj(i -> tap("up_blocks." + i, last - i, Math.max(last - i - 1, 0)))
                .forEach(taps::add);
        return taps;
    }

    private TapPoint tap(String name, int level, int size) {
        return new TapPoint(name, levels.get(level).channels(), rows(size), cols(size), TapPoint.Form.MAP);
    }
}
