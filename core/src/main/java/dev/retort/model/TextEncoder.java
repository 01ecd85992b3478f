package dev.retort.model;

import dev.retort.nn.Layer;
import org.bytedeco.pytorch.Tensor;

/** Makes states of a text's tokens, which a denoiser attends to. */
public abstract class TextEncoder extends Layer {
    /**
     * What a denoiser is told of texts.
     *
     * @param states a state for each token, (N, L, W)
     * @param pooled one state for the whole text, (N, P), or null where the encoder makes none
     */
    public record Encoded(Tensor states, Tensor pooled) {}

    /**
     * Encodes.
     *
     * @param tokens ids of a tokenizer, (N, L) int64, L at most the encoder's length
     */
    public abstract Encoded forward(Tensor tokens);
}
