package dev.retort.card;

import java.math.BigInteger;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A diffusion transformer's shape.
 *
 * @param height image or latent height, a multiple of {@code patch}
 * @param width image or latent width, a multiple of {@code patch}
 * @param channels image or latent channels
 * @param patch side of a patch
 * @param hidden width of a token, a multiple of 4 and of {@code heads}
 * @param depth number of blocks
 * @param heads attention heads
 * @param mlpRatio hidden width of the MLP over {@code hidden}
 * @param classes number of classes; 1 for unconditional networks
 * @param classDropout share of labels replaced by the null class in training; 0 builds no null class
 * @param learnSigma whether variance channels are predicted as well
 * @param modern SwiGLU, RMSNorm and 2-D RoPE instead of GELU, LayerNorm and positions added at the input alone
 * @param convention in what the forward follows the original or the diffusers library
 * @param scalars numbers that it is told beside time and class
 * @param outputs how many predictions its last layer makes, each by rows of its own
 */
public record DitSpec(
        int height,
        int width,
        int channels,
        int patch,
        int hidden,
        int depth,
        int heads,
        double mlpRatio,
        int classes,
        double classDropout,
        boolean learnSigma,
        boolean modern,
        DitConvention convention,
        ScalarInputs scalars,
        int outputs)
        implements NetworkSpec {
    /** Sines and cosines that the time becomes. */
    public static final int TIME_FEATURES = 256;

    /** Sines and cosines that the time becomes at which a call is to land. */
    public static final int END_TIME_FEATURES = 32;

    /** Modulations of a block: shift, factor and gate of its attention, then of its MLP. */
    public static final int BLOCK_PARTS = 6;

    /** Modulations of the last layer: shift and factor. */
    public static final int LAST_PARTS = 2;

    /** Validates. */
    public DitSpec {
        require(patch >= 1, "patch", patch, "at least 1");
        require(height >= patch && height % patch == 0, "height", height, "a multiple of patch " + patch);
        require(width >= patch && width % patch == 0, "width", width, "a multiple of patch " + patch);
        require(channels >= 1, "channels", channels, "at least 1");
        require(heads >= 1, "heads", heads, "at least 1");
        require(hidden >= 4 && hidden % heads == 0, "hidden", hidden, "a multiple of heads " + heads);
        require(hidden % 4 == 0, "hidden", hidden, "a multiple of 4 (position table)");
        require(!modern || hidden / heads % 4 == 0, "hidden", hidden, "4 values per head and axis for RoPE");
        require(depth >= 1, "depth", depth, "at least 1");
        require(mlpRatio > 0, "mlpRatio", mlpRatio, "above 0");
        require(classes >= 1, "classes", classes, "at least 1");
        require(classDropout >= 0 && classDropout < 1, "classDropout", classDropout, "in [0, 1)");
        require(convention != null, "convention", null, "one");
        require(scalars != null, "scalars", null, "which numbers the network is told");
        require(outputs >= 1, "outputs", outputs, "at least 1");
        require(outputs == 1 || !learnSigma, "outputs", outputs, "1 where a variance is learned");
    }

    /** A network that computes as the original does, told time and class alone, of one output. */
    public DitSpec(
            int height,
            int width,
            int channels,
            int patch,
            int hidden,
            int depth,
            int heads,
            double mlpRatio,
            int classes,
            double classDropout,
            boolean learnSigma,
            boolean modern) {
        this(
                height,
                width,
                channels,
                patch,
                hidden,
                depth,
                heads,
                mlpRatio,
                classes,
                classDropout,
                learnSigma,
                modern,
                DitConvention.ORIGINAL,
                ScalarInputs.NONE,
                1);
    }

    /** The smallest network with the same input, output and conditions: next to no weights, one token where it can be. */
    public DitSpec minimal() {
        int patch = BigInteger.valueOf(height).gcd(BigInteger.valueOf(width)).intValue();
        return new DitSpec(
                height,
                width,
                channels,
                patch,
                16,
                1,
                1,
                1,
                classes,
                classDropout,
                learnSigma,
                modern,
                convention,
                scalars,
                outputs);
    }

    @Override
    public DitSpec withSize(int rows, int columns) {
        if (rows == height && columns == width) {
            return this;
        }
        throw new IllegalArgumentException(
                name() + " works on " + height + "x" + width + " alone: its table of positions has that size");
    }

    /** The same network in another convention. */
    public DitSpec with(DitConvention other) {
        return with(other, scalars, outputs);
    }

    @Override
    public DitSpec with(ScalarInputs told) {
        return with(convention, told, outputs);
    }

    @Override
    public DitSpec withOutputs(int number) {
        return with(convention, scalars, number);
    }

    private DitSpec with(DitConvention other, ScalarInputs told, int number) {
        return new DitSpec(
                height,
                width,
                channels,
                patch,
                hidden,
                depth,
                heads,
                mlpRatio,
                classes,
                classDropout,
                learnSigma,
                modern,
                other,
                told,
                number);
    }

    private static void require(boolean holds, String field, Object value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(field + " is " + value + ", expected " + expected);
        }
    }

    /** Tokens of an image. */
    public int tokens() {
        return (height / patch) * (width / patch);
    }

    /** Channels of the output. */
    public int outChannels() {
        return learnSigma ? 2 * channels : outputs * channels;
    }

    /** Hidden width of the MLP: mlpRatio·hidden, or two thirds of it for SwiGLU's three matrices. */
    public int mlpHidden() {
        return (int) (modern ? mlpRatio * hidden * 2 / 3 : mlpRatio * hidden);
    }

    @Override
    public String name() {
        return DitSizes.nameOf(this);
    }

    @Override
    public ConditionSpec condition() {
        return ConditionSpec.ofClasses(classes, classDropout > 0).withNumbers(scalars.parts());
    }

    @Override
    public long parameters() {
        long d = hidden;
        long values = (long) patch * patch;
        long mlp =
                modern ? 3L * d * mlpHidden() + 2L * mlpHidden() + d + 2 * d : 2L * d * mlpHidden() + mlpHidden() + d;
        long block = 4 * d * d + 4 * d + mlp;
        long patches = values * channels * d + d;
        long last = (d + 1) * values * outChannels() + (modern ? d : 0);
        return depth * block + patches + last + modulationParameters();
    }

    /** Of these the values of what follows from time and condition alone: embedders, and the products that make modulations. */
    long modulationParameters() {
        long d = hidden;
        long labels = d * (classes + (hasNullClass() ? 1 : 0));
        long biases = 2 * d * (1 + scalars.parts().size());
        return embedderWeights() + biases + labels + ((long) BLOCK_PARTS * depth + LAST_PARTS) * (d * d + d);
    }

    /** Weights of the two products of each embedder of a number, time included. */
    private long embedderWeights() {
        long d = hidden;
        return TIME_FEATURES * d
                + d * d
                + (scalars.guidance() ? TIME_FEATURES * d + d * d : 0)
                + (scalars.hasEndTime() ? END_TIME_FEATURES * d + d * d : 0);
    }

    /** L(12D²T + 2T²D) + 6LD² + 2D² + p²CDT + D·p²·out·T + 256D + D², the paper's count (dit.md §1.1), and more embedders. */
    @Override
    public long macs() {
        long d = hidden;
        long t = tokens();
        long mlp = (modern ? 3L : 2L) * d * mlpHidden();
        long block = (4 * d * d + mlp) * t + 2 * t * t * d;
        long patchValues = (long) patch * patch;
        return depth * block + patchValues * channels * d * t + d * patchValues * outChannels() * t + modulationMacs();
    }

    /** Those of them that follow from time and condition alone. */
    long modulationMacs() {
        long d = hidden;
        return ((long) BLOCK_PARTS * depth + LAST_PARTS) * d * d + embedderWeights();
    }

    @Override
    public String parts() {
        return depth + " blocks of width " + hidden + ", " + heads + " heads";
    }

    @Override
    public List<TapPoint> taps() {
        return IntStream.range(0, depth)
                .mapToObj(i -> new TapPoint("blocks." + i, hidden, height / patch, width / patch, TapPoint.Form.TOKENS))
                .toList();
    }
}
