package dev.retort.model.clip;

import dev.retort.card.ClipTextSpec;
import dev.retort.model.TextEncoder;
import dev.retort.nn.Init;
import dev.retort.nn.LayerNorm;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The text encoder of CLIP (Radford et al. 2021, §2.4). Tensors are named as in transformers' {@code CLIPTextModel} and {@code
 * CLIPTextModelWithProjection}. The pooled state is made where the spec has a projection.
 */
public final class ClipText extends TextEncoder {
    private static final String MODEL = "text_model.";

    /** Of CLIP's code. */
    private static final double TOKEN_STD = 0.02;

    private static final double POSITION_STD = 0.01;

    private final ClipTextSpec spec;
    private final Tensor tokenTable;
    private final Tensor positionTable;
    private final List<ClipBlock> blocks = new ArrayList<>();
    private final LayerNorm finalNorm;
    private final Linear projection;

    /** Builds it; initial values are those of CLIP's code. */
    public ClipText(ClipTextSpec spec, Init init) {
        this.spec = spec;
        tokenTable = table(init, "token_embedding", TOKEN_STD, spec.vocabulary());
        positionTable = table(init, "position_embedding", POSITION_STD, spec.length());
        for (int i = 0; i < spec.layers(); i++) {
            String name = MODEL + "encoder.layers." + i;
            blocks.add(child(name, new ClipBlock(init.at(name), spec)));
        }
        String norm = MODEL + "final_layer_norm";
        finalNorm = child(norm, new LayerNorm(init.at(norm), spec.width(), spec.eps()));
        projection = spec.projection() == 0
                ? null
                : child(
                        "text_projection",
                        Linear.withoutBias(init.at("text_projection"), spec.width(), spec.projection()));
    }

    private Tensor table(Init init, String name, double std, int rows) {
        String full = MODEL + "embeddings." + name + ".weight";
        return parameter(full, init.normal(full, std, rows, spec.width()));
    }

    /** The shape. */
    public ClipTextSpec spec() {
        return spec;
    }

    @Override
    public Encoded forward(Tensor tokens) {
        return forward(tokens, Taps.none());
    }

    /** The same, offering what goes into the first block as {@code hidden.0} and what leaves block i as {@code hidden.(i+1)}. */
    Encoded forward(Tensor tokens, Taps taps) {
        int length = Math.toIntExact(tokens.size(1));
        if (length > spec.length()) {
            throw new IllegalArgumentException(
                    "a text has " + length + " tokens, expected at most " + spec.length() + ", the encoder's length");
        }
        Tensor x = Ops.add(Ops.embedding(tokenTable, tokens), Ops.narrow(positionTable, 0, 0, length)); // (N, L, W)
        taps.offer("hidden.0", x);
        int handed = spec.layers() - spec.skip();
        int needed = projection == null && taps.areNone() ? handed : spec.layers();
        Tensor states = null;
        for (int i = 0; i < needed; i++) {
            x = blocks.get(i).forward(x); // (N, L, W)
            taps.offer("hidden." + (i + 1), x);
            states = i + 1 == handed ? x : states;
        }
        return new Encoded(
                spec.finalNorm() ? finalNorm.forward(states) : states,
                projection == null ? null : projection.forward(pooled(x, tokens)));
    }

    /** The last state of each text's end, normed: x (N, L, W) → (N, W). */
    Tensor pooled(Tensor x, Tensor tokens) {
        return finalNorm.forward(Ops.pickRows(x, ends(tokens)));
    }

    /** Where each text ends: (N, L) → (N); the first token of a text without end. */
    private Tensor ends(Tensor tokens) {
        Tensor ids = Dtype.F32.cast(tokens); // (N, L), exact below 2^24
        if (spec.endToken() != ClipTextSpec.LARGEST_ID) {
            ids = Ops.clamp(Ops.mul(Ops.square(Ops.add(ids, -spec.endToken())), -1), -1, 0); // 0 at ends, else -1
        }
        return Ops.argMax(ids, 1);
    }
}
