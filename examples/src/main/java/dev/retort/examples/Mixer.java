package dev.retort.examples;

import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** An MLP-mixer (Tolstikhin et al. 2021) that is told time and class: MLPs over tokens and over channels in turn. */
final class Mixer extends Network {
    private static final double EPS = 1e-6;

    private final MixerSpec spec;
    private final Conv2d in;
    private final Linear time;
    private final Linear hidden;
    private final Embedding label;
    private final List<Linear[]> blocks = new ArrayList<>();
    private final Linear out;

    Mixer(MixerSpec spec, Init init) {
        this.spec = spec;
        int d = spec.inside();
        int t = spec.tokens();
        in = child("in", Conv2d.xavier(init.at("in"), spec.channels(), d, MixerSpec.PATCH, MixerSpec.PATCH, 0));
        time = child("time", Linear.xavier(init.at("time"), 1, d));
        hidden = child("hidden", Linear.xavier(init.at("hidden"), d, d));
        label = child("label", new Embedding(init.at("label"), spec.classes() + (spec.hasNone() ? 1 : 0), d));
        for (int i = 0; i < spec.depth(); i++) {
            String name = "blocks." + i + ".";
            blocks.add(new Linear[] {
                child(name + "tokens_in", Linear.xavier(init.at(name + "tokens_in"), t, 2L * t)),
                child(name + "tokens_out", Linear.xavier(init.at(name + "tokens_out"), 2L * t, t)),
                child(name + "channels_in", Linear.xavier(init.at(name + "channels_in"), d, 4L * d)),
                child(name + "channels_out", Linear.xavier(init.at(name + "channels_out"), 4L * d, d))
            });
        }
        out = child("out", Linear.zero(init.at("out"), d, spec.valuesOfToken()));
    }

    @Override
    public Tensor forward(Tensor x, Tensor at, Condition condition, Taps taps) {
        long n = x.size(0);
        Tensor told = hidden.forward(Ops.silu(time.forward(Ops.view(Ops.mul(at, 1e-3), n, 1)))); // (N, D)
        told = Ops.unsqueeze(Ops.add(told, label.forward(condition.get(Part.LABEL))), 1); // (N, 1, D)
        Tensor h = Ops.transpose(Ops.flatten(in.forward(x), 2, -1), 1, 2); // (N, T, D)
        for (int i = 0; i < blocks.size(); i++) {
            Linear[] b = blocks.get(i);
            Tensor across = Ops.transpose(Ops.layerNorm(Ops.add(h, told), EPS), 1, 2); // (N, D, T)
            h = Ops.add(h, Ops.transpose(b[1].forward(b[0].forwardGeluTanh(across)), 1, 2));
            h = Ops.add(h, b[3].forward(b[2].forwardGeluTanh(Ops.layerNorm(h, EPS))));
            taps.offer("blocks." + i, h); // (N, T, D)
        }
        int p = MixerSpec.PATCH;
        int rows = spec.height() / p;
        int cols = spec.width() / p;
        int c = spec.valuesOfToken() / (p * p);
        Tensor pixels = Ops.view(out.forward(Ops.layerNorm(h, EPS)), n, rows, cols, p, p, c);
        return Dtype.F32.cast(
                Ops.reshape(Ops.permute(pixels, 0, 5, 1, 3, 2, 4), n, c, spec.height(), spec.width())); // (N, c, H, W)
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    /** Its blocks are too small to be worth computing twice. */
    @Override
    public void recompute(boolean on) {
        if (on) {
            throw new IllegalArgumentException(
                    "a mixer keeps its activations; leave run.compute.checkpointActivations off");
        }
    }
}
