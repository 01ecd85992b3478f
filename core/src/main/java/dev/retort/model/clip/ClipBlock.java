package dev.retort.model.clip;

import dev.retort.card.ClipTextSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LayerNorm;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
import org.bytedeco.pytorch.Tensor;

/** A block of a transformer that norms before each half: causal attention, then an MLP, each added to its input. */
final class ClipBlock extends Layer {
    private static final double QUICK = 1.702;

    private final LayerNorm norm1;
    private final ClipAttention attention;
    private final LayerNorm norm2;
    private final Linear fc1;
    private final Linear fc2;
    private final ClipTextSpec.Activation activation;

    /** Initial values are those of CLIP's code: smaller where an output is added, by the number of such additions. */
    ClipBlock(Init init, ClipTextSpec spec) {
        int width = spec.width();
        double added = Math.pow((double) width * 2 * spec.layers(), -0.5);
        attention = child("self_attn", new ClipAttention(init.at("self_attn"), width, spec.heads(), added));
        norm1 = child("layer_norm1", new LayerNorm(init.at("layer_norm1"), width, spec.eps()));
        double widening = Math.pow(2.0 * width, -0.5);
        fc1 = child("mlp.fc1", Linear.normal(init.at("mlp.fc1"), widening, width, spec.mlpWidth()));
        fc2 = child("mlp.fc2", Linear.normal(init.at("mlp.fc2"), added, spec.mlpWidth(), width));
        norm2 = child("layer_norm2", new LayerNorm(init.at("layer_norm2"), width, spec.eps()));
        activation = spec.activation();
    }

    /** x (N, L, W) → the same shape. */
    Tensor forward(Tensor x) {
        return Scratch.of(() -> {
            Tensor attended = Ops.add(x, attention.forward(norm1.forward(x))); // (N, L, W)
            Tensor wide = activate(fc1.forward(norm2.forward(attended))); // (N, L, W of the MLP)
            return Ops.add(attended, fc2.forward(wide)); // (N, L, W)
        });
    }

    private Tensor activate(Tensor x) {
        return switch (activation) {
            // x·sigmoid(ax) is SiLU(ax) / a
            case QUICK_GELU -> Ops.mul(Ops.silu(Ops.mul(x, QUICK)), 1 / QUICK);
            case GELU -> Ops.gelu(x);
        };
    }
}
