package dev.retort.model.unet;

import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LayerNorm;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
import org.bytedeco.pytorch.Tensor;

/**
 * Attention of the pixels to each other, then to a text, then an MLP with a gate (GEGLU, Shazeer 2020), each normed before and added to its
 * input. Tensors {@code norm1}, {@code attn1}, {@code norm2}, {@code attn2}, {@code norm3}, {@code ff.net.0.proj}, {@code ff.net.2}.
 */
final class TransformerBlock extends Layer {
    private static final double EPS = 1e-5;
    private static final int WIDER = 4;

    private final LayerNorm norm1;
    private final CrossAttention own;
    private final LayerNorm norm2;
    private final CrossAttention toText;
    private final LayerNorm norm3;
    private final Linear gated;
    private final Linear narrow;

    /** @param textWidth width of the text's states; 0 for none */
    TransformerBlock(Init init, int channels, int heads, int textWidth) {
        norm1 = child("norm1", new LayerNorm(init.at("norm1"), channels, EPS));
        own = child("attn1", new CrossAttention(init.at("attn1"), channels, channels, heads));
        boolean reads = textWidth > 0;
        norm2 = reads ? child("norm2", new LayerNorm(init.at("norm2"), channels, EPS)) : null;
        toText = reads ? child("attn2", new CrossAttention(init.at("attn2"), channels, textWidth, heads)) : null;
        norm3 = child("norm3", new LayerNorm(init.at("norm3"), channels, EPS));
        int wide = WIDER * channels;
        gated = child("ff.net.0.proj", Linear.xavier(init.at("ff.net.0.proj"), channels, 2L * wide));
        narrow = child("ff.net.2", Linear.xavier(init.at("ff.net.2"), wide, channels));
    }

    /**
     * One pass.
     *
     * @param x (N, T, C)
     * @param text (N, S, W), or null where there is none
     * @return (N, T, C)
     */
    Tensor forward(Tensor x, Tensor text) {
        return Scratch.of(() -> {
            Tensor a = Scratch.of(() -> {
                Tensor normed = norm1.forward(x);
                return Ops.add(x, own.forward(normed, normed));
            });
            Tensor b = toText == null ? a : Scratch.of(() -> Ops.add(a, toText.forward(norm2.forward(a), text)));
            Tensor[] half = Ops.chunk(gated.forward(norm3.forward(b)), 2, -1); // value, gate (N, T, 4C)
            return Ops.add(b, narrow.forward(Ops.mul(half[0], Ops.gelu(half[1]))));
        });
    }
}
