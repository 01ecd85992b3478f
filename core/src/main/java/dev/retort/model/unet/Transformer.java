package dev.retort.model.unet;

import dev.retort.card.UNetSpec;
import dev.retort.nn.Affine;
import dev.retort.nn.Conv2d;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Blocks of a transformer over the pixels of a map, added to it. Tensors {@code norm}, {@code proj_in}, {@code transformer_blocks.i}, {@code
 * proj_out}.
 */
final class Transformer extends Layer {
    private static final double EPS = 1e-6; // of the norm, whatever that of the residual blocks is

    private final GroupNorm norm;
    private final Affine in;
    private final List<TransformerBlock> blocks = new ArrayList<>();
    private final Affine out;
    private final boolean linear;

    /** @param layers blocks */
    Transformer(Init init, UNetSpec spec, int channels, int heads, int layers) {
        linear = spec.convention().linearProjections();
        norm = child("norm", new GroupNorm(init.at("norm"), spec.convention().normGroups(), channels, EPS));
        in = child(
                "proj_in",
                linear
                        ? Linear.xavier(init.at("proj_in"), channels, channels)
                        : Conv2d.xavier(init.at("proj_in"), channels, channels, 1, 1, 0));
        for (int i = 0; i < layers; i++) {
            String name = "transformer_blocks." + i;
            int text = spec.told().text().map(UNetSpec.Text::width).orElse(0);
            blocks.add(child(name, new TransformerBlock(init.at(name), channels, heads, text)));
        }
        out = child(
                "proj_out",
                linear
                        ? Linear.zero(init.at("proj_out"), channels, channels)
                        : Conv2d.zero(init.at("proj_out"), channels, channels, 1, 1, 0));
    }

    /**
     * One pass.
     *
     * @param x (N, C, H, W)
     * @param text (N, S, W), or null where there is none
     * @return (N, C, H, W)
     */
    Tensor forward(Tensor x, Tensor text) {
        try (Scratch scratch = Scratch.open()) {
            Tensor h = Scratch.of(() -> entered(norm.forward(x))); // (N, H·W, C)
            for (TransformerBlock block : blocks) {
                Tensor before = h;
                h = block.forward(before, text);
                scratch.free(before);
            }
            return scratch.escape(Ops.add(x, linear ? map(out.forward(h), x) : out.forward(map(h, x))));
        }
    }

    private Tensor entered(Tensor normed) {
        return linear ? in.forward(tokens(normed)) : tokens(in.forward(normed));
    }

    /** (N, C, H, W) → (N, H·W, C). */
    private static Tensor tokens(Tensor x) {
        return Ops.transpose(Ops.flatten(x, 2, -1), 1, 2);
    }

    /** (N, H·W, C) → (N, C, H, W), the shape of x. */
    private static Tensor map(Tensor tokens, Tensor x) {
        return Ops.reshape(Ops.transpose(tokens, 1, 2), x.size(0), x.size(1), x.size(2), x.size(3));
    }
}
