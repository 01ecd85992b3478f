package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.layout.PositionTable;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.RmsNorm;
import dev.retort.nn.Taps;
import dev.retort.torch.Checkpointing;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The diffusion transformer (Peebles and Xie 2022) under its original parameter names. At the start every block is the
 * identity and the output is zero.
 */
public final class Dit extends Network {
    private final DitSpec spec;
    private final Tensor positions;
    private final Conv2d patchEmbedder;
    private final TimestepEmbedder timeEmbedder;
    private final Embedding labelEmbedder;
    private final RotaryPositions rotary;
    private final List<DitBlock> blocks = new ArrayList<>();
    private final RmsNorm finalNorm;
    private final Linear finalLinear;
    private final Linear finalModulation;
    private boolean recompute;

    /** A network with initial values (dit.md §1.4). */
    public Dit(DitSpec spec, Init init) {
        this.spec = spec;
        int rows = spec.height() / spec.patch();
        int cols = spec.width() / spec.patch();
        int d = spec.hidden();
        positions = buffer(
                "pos_embed",
                Ops.view(Tensors.of(PositionTable.sinCos(rows, cols, d), init.device()), 1, spec.tokens(), d));
        patchEmbedder = child(
                "x_embedder.proj",
                Conv2d.xavier(init.at("x_embedder.proj"), spec.channels(), d, spec.patch(), spec.patch(), 0));
        timeEmbedder = child(
                "t_embedder",
                new TimestepEmbedder(init.at("t_embedder"), d, spec.convention().frequencyShift()));
        int rowsOfTable = spec.classes() + (spec.hasNullClass() ? 1 : 0);
        labelEmbedder = child("y_embedder", new Embedding(init.at("y_embedder"), rowsOfTable, d));
        rotary = spec.modern()
                ? child("rotary", new RotaryPositions(init.device(), rows, cols, d / spec.heads()))
                : null;
        for (int i = 0; i < spec.depth(); i++) {
            String name = "blocks." + i;
            blocks.add(child(name, new DitBlock(init.at(name), spec, rotary)));
        }
        Init last = init.at("final_layer");
        finalNorm = spec.modern() ? child("final_layer.norm_final", new RmsNorm(last.at("norm_final"), d)) : null;
        finalLinear = child(
                "final_layer.linear", Linear.zero(last, d, (long) spec.patch() * spec.patch() * spec.outChannels()));
        finalModulation = child("final_layer.adaLN_modulation.1", Linear.zero(last, d, 2L * d));
    }

    @Override
    public DitSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {
        recompute = on;
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        Tensor patches = Ops.flatten(patchEmbedder.forward(x), 2, -1); // (N, D, T)
        Tensor h = Ops.add(Ops.transpose(patches, 1, 2), positions); // (N, T, D)
        taps.offer("tokens", h);
        Tensor label = labelEmbedder.forward(condition.get(Part.LABEL)); // (N, D)
        Tensor c = Dtype.F32.cast(Ops.add(timeEmbedder.forward(time), label)); // (N, D)
        taps.offer("condition", c);
        Tensor act = Ops.silu(c); // (N, D)
        for (int i = 0; i < blocks.size(); i++) {
            h = block(i, h, act, taps); // (N, T, D)
        }
        Tensor[] m = Ops.chunk(Ops.unsqueeze(finalModulation.forward(act), 1), 2, -1); // shift, scale (N, 1, D)
        Tensor tokens =
                finalLinear.forward(DitBlock.modulatedNorm(finalNorm, h, m[0], m[1], DitBlock.EPS)); // (N, T, p²·out)
        taps.offer("final_tokens", tokens);
        return unpatchify(Dtype.F32.cast(tokens)); // (N, out, H, W)
    }

    private Tensor block(int index, Tensor h, Tensor act, Taps taps) {
        DitBlock block = blocks.get(index);
        String name = "blocks." + index;
        Tensor out;
        Tensor attn;
        Tensor mlp;
        if (recompute) {
            Tensor[] outs = Checkpointing.run(
                    device(),
                    in -> {
                        DitBlock.Out o = block.forward(in[0], in[1]);
                        return taps.wants(name + ".attn") || taps.wants(name + ".mlp")
                                ? new Tensor[] {o.x(), o.attn(), o.mlp()}
                                : new Tensor[] {o.x()};
                    },
                    h,
                    act);
            out = outs[0];
            attn = outs.length > 1 ? outs[1] : null;
            mlp = outs.length > 1 ? outs[2] : null;
        } else {
            DitBlock.Out o = block.forward(h, act);
            out = o.x();
            attn = o.attn();
            mlp = o.mlp();
        }
        taps.offer(name, out);
        taps.offer(name + ".attn", attn);
        taps.offer(name + ".mlp", mlp);
        return out;
    }

    /** (N, T, p·p·c), channel last inside a token → (N, c, H, W). */
    private Tensor unpatchify(Tensor tokens) {
        long n = tokens.size(0);
        long p = spec.patch();
        long rows = spec.height() / p;
        long cols = spec.width() / p;
        long c = spec.outChannels();
        Tensor patches = Ops.permute(Ops.view(tokens, n, rows, cols, p, p, c), 0, 5, 1, 3, 2, 4);
        return Ops.reshape(patches, n, c, rows * p, cols * p);
    }
}
