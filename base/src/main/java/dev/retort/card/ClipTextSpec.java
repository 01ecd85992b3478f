package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.text.Tokenizer;

/**
 * The shape of a CLIP text encoder (Radford et al. 2021, §2.4) and what of it a denoiser is handed.
 *
 * @param vocabulary number of token ids
 * @param length most tokens of a text, start and end included: rows of the position table
 * @param width width of a token's state, a multiple of {@code heads}
 * @param mlpWidth hidden width of each block's MLP
 * @param layers number of blocks
 * @param heads attention heads
 * @param activation between the two products of the MLP
 * @param eps of every layer norm
 * @param projection width of the pooled state that a last product without bias makes; 0 where there is none
 * @param skip blocks at the end that the handed states do not pass: 0 for the last state, 1 for the penultimate
 * @param finalNorm whether the handed states pass the final norm, as in SD 1.x and 2.x and not in SDXL
 * @param endToken the pooled state is that at the first place of this id; {@link #LARGEST_ID} means the place of the text's
 *     largest id, as configurations of SD 1.x do
 */
public record ClipTextSpec(
        int vocabulary,
        int length,
        int width,
        int mlpWidth,
        int layers,
        int heads,
        Activation activation,
        double eps,
        int projection,
        int skip,
        boolean finalNorm,
        int endToken) {
    /** An {@link #endToken} that is no token but the rule of older configurations. */
    public static final int LARGEST_ID = 2;

    /** What stands between the products of an MLP. */
    public enum Activation {
        /** x·sigmoid(1.702·x): OpenAI's encoders, SD 1.x. */
        QUICK_GELU,
        /** The exact x·Φ(x): OpenCLIP's encoders, SD 2.x. */
        GELU
    }

    /** Validates. */
    public ClipTextSpec {
        Require.atLeast("vocabulary", vocabulary, 2);
        Require.atLeast("length", length, 2);
        Require.atLeast("heads", heads, 1);
        Require.that(width >= 1 && width % heads == 0, "width", width, "a multiple of heads " + heads);
        Require.atLeast("mlpWidth", mlpWidth, 1);
        Require.atLeast("layers", layers, 1);
        Require.that(activation != null, "activation", null, "quick-gelu or gelu");
        Require.positive("eps", eps);
        Require.atLeast("projection", projection, 0);
        Require.between("skip", skip, 0, layers - 1);
        Require.between("endToken", endToken, 0, Math.max(LARGEST_ID, vocabulary - 1));
    }

    /** A small encoder to be trained from nothing: an MLP of 4·width, the last state normed, the last id of all its end. */
    public ClipTextSpec(int vocabulary, int length, int width, int layers, int heads) {
        this(
                vocabulary,
                length,
                width,
                4 * width,
                layers,
                heads,
                Activation.QUICK_GELU,
                1e-5,
                0,
                0,
                true,
                vocabulary - 1);
    }

    /** The same encoder whose states are taken elsewhere. */
    public ClipTextSpec handing(int skipped, boolean normed) {
        return new ClipTextSpec(
                vocabulary,
                length,
                width,
                mlpWidth,
                layers,
                heads,
                activation,
                eps,
                projection,
                skipped,
                normed,
                endToken);
    }

    /** The same encoder without the blocks at the end that nothing reads; only where no state is pooled are there such. */
    public ClipTextSpec withoutUnused() {
        return projection > 0 || skip == 0 || !finalNorm
                ? this
                : new ClipTextSpec(
                        vocabulary,
                        length,
                        width,
                        mlpWidth,
                        layers - skip,
                        heads,
                        activation,
                        eps,
                        projection,
                        0,
                        true,
                        endToken);
    }

    /**
     * Refuses a tokenizer whose ids the encoder does not know.
     *
     * @throws RetortException of kind CHECKPOINT saying what was expected
     */
    public void requireFits(Tokenizer tokenizer) {
        refuseUnless(
                tokenizer.vocabulary() <= vocabulary,
                "the tokenizer has " + tokenizer.vocabulary() + " tokens, and the encoder knows " + vocabulary);
        refuseUnless(
                tokenizer.length() <= length,
                "the tokenizer makes texts of " + tokenizer.length() + " tokens, and the encoder reads " + length);
        refuseUnless(
                projection == 0 || endToken == LARGEST_ID || endToken == tokenizer.end(),
                "the tokenizer ends texts with token " + tokenizer.end() + ", and the encoder pools at " + endToken);
    }

    private static void refuseUnless(boolean fits, String why) {
        if (!fits) {
            throw new RetortException(Kind.CHECKPOINT, why + "; use the tokenizer and the encoder of one model");
        }
    }

    /** Number of weights. */
    public long parameters() {
        long d = width;
        long block = 4 * (d * d + d) + 2 * d * mlpWidth + mlpWidth + d + 4 * d;
        return (vocabulary + length) * d + layers * block + 2 * d + d * projection;
    }
}
