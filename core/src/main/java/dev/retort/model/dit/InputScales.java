package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.layout.DitLayout;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Divides the inputs of a block's products channel by channel, exactly, by what makes them: those of qkv and of the MLP's first product
 * are norm(x)·(1 + g) + b, whose g and b are modulations; those of the attention's last are linear in v; those of a gated MLP's
 * last are linear in its ungated half. The GELU before another one's last product can be moved into nothing.
 */
public final class InputScales {
    private static final int ATTENTION_SHIFT = 0;
    private static final int MLP_SHIFT = 3;

    private final DitSpec spec;
    private final boolean folded;
    private final Map<String, Tensor> weights;

    /**
     * @param spec what the network is, or was before it was folded
     * @param folded whether its modulations are a table
     * @param weights by name; changed in place
     */
    public InputScales(DitSpec spec, boolean folded, Map<String, Tensor> weights) {
        this.spec = spec;
        this.folded = folded;
        this.weights = weights;
    }

    /** The layers whose inputs can be divided. */
    public static List<String> layers(DitSpec spec) {
        List<String> layers = new ArrayList<>();
        for (int i = 0; i < spec.depth(); i++) {
            String block = "blocks." + i;
            layers.add(block + ".attn.qkv");
            layers.add(block + ".attn.proj");
            layers.add(block + (spec.modern() ? ".mlp.w12" : ".mlp.fc1"));
            if (spec.modern()) {
                layers.add(block + ".mlp.w3");
            }
        }
        return layers;
    }

    /** Divides the inputs of one of {@link #layers} by factors (in); the layer's own weight is the caller's. */
    public void divide(String layer, Tensor factors) {
        int block = Integer.parseInt(layer.split("\\.")[1]);
        String name = "blocks." + block;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            if (layer.endsWith(".attn.qkv")) {
                modulation(name, block, ATTENTION_SHIFT, factors);
            } else if (layer.endsWith(".attn.proj")) {
                rows(name + ".attn.qkv", 2L * spec.hidden(), factors);
            } else if (layer.endsWith(".mlp.w3")) {
                rows(name + ".mlp.w12", spec.mlpHidden(), factors);
            } else {
                modulation(name, block, MLP_SHIFT, factors);
            }
        }
    }

    /** A shift b becomes b/s; the factor 1 + g behind it (1 + g)/s, so that g becomes (1 + g)/s - 1. */
    private void modulation(String name, int block, int shift, Tensor factors) {
        long d = spec.hidden();
        if (folded) {
            Tensor table = weights.get(DitLayout.modulation(spec, block)); // (times, labels, parts, D)
            divide(Ops.narrow(table, 2, shift, 1), factors);
            divideFactor(Ops.narrow(table, 2, shift + 1L, 1), factors);
            return;
        }
        String product = name + ".adaLN_modulation.1";
        rows(product, shift * d, factors);
        long scale = (shift + 1L) * d;
        divide(Ops.narrow(weights.get(product + ".weight"), 0, scale, d), Ops.view(factors, -1, 1));
        divideFactor(Ops.narrow(weights.get(product + ".bias"), 0, scale, d), factors);
    }

    /** Rows of a product's weight and bias. */
    private void rows(String product, long first, Tensor factors) {
        long count = factors.numel();
        divide(Ops.narrow(weights.get(product + ".weight"), 0, first, count), Ops.view(factors, -1, 1));
        divide(Ops.narrow(weights.get(product + ".bias"), 0, first, count), factors);
    }

    private static void divide(Tensor part, Tensor factors) {
        part.copy_(Ops.div(part, factors));
    }

    private static void divideFactor(Tensor part, Tensor factors) {
        part.copy_(Ops.add(Ops.div(Ops.add(part, 1), factors), -1));
    }
}
