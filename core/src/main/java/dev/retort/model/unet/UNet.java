package dev.retort.model.unet;

import dev.retort.card.Part;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Level;
import dev.retort.diffusion.step.GuidanceEmbedding;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.AskedTime;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Downsample;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Sinusoids;
import dev.retort.nn.Taps;
import dev.retort.nn.Upsample;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Checkpointing;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Scratch;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The U-Net of Stable Diffusion (Rombach et al. 2022), of its first and second version, of SDXL and of students cut from these, whose
 * weights are named as in diffusers' {@code UNet2DConditionModel}. A scale of guidance g is told as g - 1, as latent consistency models are
 * (Luo et al. 2023). Scores of attention are summed in fp32 whatever the precision.
 */
public final class UNet extends Network {
    private final UNetSpec spec;
    private final boolean packed;
    private final Conv2d in;
    private final Embedder time;
    private final Embedder added;
    private final List<Down> downs = new ArrayList<>();
    private final Middle middle;
    private final List<Up> ups = new ArrayList<>();
    private final GroupNorm norm;
    private final Conv2d out;
    private boolean recompute;

    /** A network with initial values, which returns zeros. */
    public UNet(UNetSpec spec, Init init) {
        this.spec = spec;
        packed = init.packs();
        int last = spec.levels().size() - 1;
        int channels = spec.levels().get(0).channels();
        Deque<Integer> skips = new ArrayDeque<>();
        skips.push(channels);
        in = child("conv_in", Conv2d.xavier(init.at("conv_in"), spec.channels(), channels, 3, 1, 1));
        time = child(
                "time_embedding",
                new Embedder(init.at("time_embedding"), channels, spec.told().guidanceWidth(), spec.embedding()));
        added = spec.told()
                .pooled()
                .map(pooled -> child(
                        "add_embedding", new Embedder(init.at("add_embedding"), pooled.values(), 0, spec.embedding())))
                .orElse(null);
        for (int i = 0; i <= last; i++) {
            String name = "down_blocks." + i;
            Level level = spec.levels().get(i);
            List<Integer> inputs = new ArrayList<>();
            for (int j = 0; j < level.down().size(); j++) {
                inputs.add(channels);
                channels = level.channels();
                skips.push(channels);
            }
            downs.add(child(name, new Down(init.at(name), spec, level, inputs, i < last)));
            if (i < last) {
                skips.push(channels);
            }
        }
        Level smallest = spec.levels().get(last);
        middle = spec.middle()
                .map(between -> child("mid_block", new Middle(init.at("mid_block"), spec, smallest, between.layers())))
                .orElse(null);
        for (int i = last; i >= 0; i--) {
            String name = "up_blocks." + (last - i);
            Level level = spec.levels().get(i);
            List<Integer> inputs = new ArrayList<>();
            for (int j = 0; j < level.up().size(); j++) {
                inputs.add(channels + skips.pop());
                channels = level.channels();
            }
            ups.add(child(name, new Up(init.at(name), spec, level, inputs, i > 0)));
        }
        norm = child(
                "conv_norm_out",
                new GroupNorm(
                        init.at("conv_norm_out"),
                        spec.convention().normGroups(),
                        channels,
                        spec.convention().normEps()));
        out = child(
                "conv_out",
                Conv2d.zero(init.at("conv_out"), channels, spec.grid().outChannels(), 3, 1, 1));
    }

    /** A network for sampling alone, each of whose weights is prepared as it comes. */
    public static UNet pack(UNetSpec spec, WeightSource weights, Device device, Precision precision) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            return new UNet(spec, Init.packed(weights, device, precision));
        }
    }

    private static final class Down extends Stack {
        private final Downsample sampler;

        Down(Init init, UNetSpec spec, Level level, List<Integer> inputs, boolean halves) {
            super(init, spec, level, inputs, level.down());
            String name = "downsamplers.0";
            sampler = halves ? child(name, new Downsample(init.at(name), level.channels(), true)) : null;
        }
    }

    private static final class Middle extends Stack {
        Middle(Init init, UNetSpec spec, Level level, int layers) {
            super(init, spec, level, Collections.nCopies(layers > 0 ? 2 : 1, level.channels()), List.of(layers));
        }
    }

    private static final class Up extends Stack {
        private final Upsample sampler;

        Up(Init init, UNetSpec spec, Level level, List<Integer> inputs, boolean doubles) {
            super(init, spec, level, inputs, level.up());
            String name = "upsamplers.0";
            sampler = doubles ? child(name, new Upsample(init.at(name), level.channels())) : null;
        }
    }

    @Override
    public UNetSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {
        recompute = on;
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        try (NoGrad off = packed ? NoGrad.on() : null;
                AskedTime said = AskedTime.of(time).begin();
                Scratch scratch = Scratch.open()) {
            Tensor embedded = Scratch.of(() -> Ops.silu(embedding(time, condition))); // (N, E)
            Tensor text = spec.told().text().isPresent() ? condition.get(Part.TEXT) : null;
            return scratch.escape(Dtype.F32.cast(blocks(x, embedded, text, taps, scratch)));
        }
    }

    /** Of time (N) and what is added to it: (N, E). */
    private Tensor embedding(Tensor when, Condition told) {
        UNetSpec.Convention how = spec.convention();
        int width = spec.levels().get(0).channels();
        Tensor features =
                Sinusoids.of(when, Sinusoids.frequencies(width / 2, how.frequencyShift()), how.cosinesFirst());
        Tensor embedded = time.forward(features, guidance(when, told));
        if (added == null) {
            return embedded;
        }
        UNetSpec.Pooled pooled = spec.told().pooled().orElseThrow();
        Tensor all = told.get(Part.POOLED);
        if (pooled.ids() > 0) {
            Tensor ids = Sinusoids.of(
                    Ops.flatten(told.get(Part.TIME_IDS), 0, -1),
                    Sinusoids.frequencies(pooled.idWidth() / 2, how.frequencyShift()),
                    how.cosinesFirst()); // (N·ids, width)
            all = Ops.cat(1, all, Ops.reshape(ids, when.size(0), (long) pooled.ids() * pooled.idWidth()));
        }
        return Ops.add(embedded, added.forward(all, null));
    }

    private Tensor guidance(Tensor when, Condition told) {
        int width = spec.told().guidanceWidth();
        if (width == 0) {
            return null;
        }
        Tensor scale =
                told.has(Part.GUIDANCE) ? told.get(Part.GUIDANCE) : Tensors.full(1, Device.of(when), when.size(0));
        return Sinusoids.of(Ops.add(scale, -1), new GuidanceEmbedding(width).frequencies(), false);
    }

    private Tensor blocks(Tensor x, Tensor embedded, Tensor text, Taps taps, Scratch scratch) {
        Deque<Tensor> skips = new ArrayDeque<>();
        Tensor h = Scratch.of(() -> in.forward(x)); // (N, C, H, W)
        skips.push(h);
        for (int i = 0; i < downs.size(); i++) {
            Down down = downs.get(i);
            for (int j = 0; j < down.size(); j++) {
                h = block(down, j, h, embedded, text);
                skips.push(h);
            }
            if (down.sampler != null) {
                Tensor large = h;
                h = Scratch.of(() -> down.sampler.forward(large)); // (N, C, H/2, W/2)
                skips.push(h);
            }
            offer(taps, "down_blocks." + i, h, scratch);
        }
        if (middle != null) {
            Tensor below = h;
            h = Scratch.of(() -> middle(below, embedded, text));
            offer(taps, "mid_block", h, scratch);
        }
        boolean frees = taps.areNone(); // what is tapped may be what is joined
        for (int i = 0; i < ups.size(); i++) {
            Up up = ups.get(i);
            for (int j = 0; j < up.size(); j++) {
                Tensor below = h;
                Tensor skip = skips.pop();
                Tensor joined = Ops.cat(1, below, skip);
                if (frees) {
                    scratch.free(below);
                    scratch.free(skip);
                }
                h = block(up, j, joined, embedded, text);
                scratch.free(joined);
            }
            if (up.sampler != null) {
                Tensor small = h;
                Tensor next = skips.peek();
                h = Scratch.of(() -> up.sampler.forward(small, next.size(2), next.size(3)));
                scratch.free(small);
            }
            offer(taps, "up_blocks." + i, h, scratch);
        }
        return out.forward(Ops.silu(norm.forward(h))); // (N, out, H, W)
    }

    private Tensor middle(Tensor x, Tensor embedded, Tensor text) {
        Tensor h = block(middle, 0, x, embedded, text);
        return middle.size() > 1 ? block(middle, 1, h, embedded, text) : h;
    }

    private Tensor block(Stack stack, int index, Tensor x, Tensor embedded, Tensor text) {
        Tensor[] in = text == null ? new Tensor[] {x, embedded} : new Tensor[] {x, embedded, text};
        if (!recompute) {
            return Scratch.of(() -> stack.block(index, in));
        }
        AskedTime asked = AskedTime.here();
        return Checkpointing.run(
                device(),
                given -> {
                    try (AskedTime said = asked.begin()) {
                        return new Tensor[] {stack.block(index, given)};
                    }
                },
                in)[0];
    }

    /** What is tapped outlives the call. */
    private static void offer(Taps taps, String name, Tensor tensor, Scratch scratch) {
        if (taps.wants(name)) {
            taps.offer(name, scratch.escape(tensor));
        }
    }
}
