package dev.retort.card;

/** A part of what a denoising network can be conditioned on; each holds one row per sample. */
public enum Part {
    /** The class, a 64-bit integer; the number of classes stands for "no class". */
    LABEL,
    /** Ids of a tokenizer for each text encoder (encoders, tokens), 64-bit integers; where {@link #TEXT} is there too, nobody reads them. */
    TOKENS,
    /** States of a text encoder (tokens, width), fp32. */
    TEXT,
    /** One vector for the whole text (width), fp32. */
    POOLED,
    /** Sizes and crop of the picture (values), fp32. */
    TIME_IDS,
    /** The guidance scale that the network computes by itself, fp32; a condition that does not say it means 1. */
    GUIDANCE,
    /** The time that one call leads to, in the network's units, fp32; a condition that does not say it means the time itself. */
    END_TIME
}
