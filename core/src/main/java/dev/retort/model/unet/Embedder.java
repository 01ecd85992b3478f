package dev.retort.model.unet;

import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Features → Linear, SiLU, Linear. Tensors {@code linear_1}, {@code linear_2} and, where a scale of guidance is told (Meng et al. 2023), {@code
 * cond_proj}, whose product of the scale's features is added to those of the time.
 */
final class Embedder extends Layer {
    private final Linear conditional;
    private final Linear first;
    private final Linear second;

    /** @param conditional width of further features; 0 for none */
    Embedder(Init init, int in, int conditional, int out) {
        first = child("linear_1", Linear.xavier(init.at("linear_1"), in, out));
        second = child("linear_2", Linear.xavier(init.at("linear_2"), out, out));
        this.conditional = conditional == 0
                ? null
                : child("cond_proj", Linear.zeroWithoutBias(init.at("cond_proj"), conditional, in));
    }

    /**
     * (N, in) → (N, out).
     *
     * @param further (N, conditional), or null where there are none
     */
    Tensor forward(Tensor features, Tensor further) {
        Tensor all = conditional == null ? features : Ops.add(features, conditional.forward(further));
        return second.forward(Ops.silu(first.forward(all)));
    }
}
