package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.layout.PositionTable;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.model.Network;
import dev.retort.model.Request;
import dev.retort.nn.AskedTime;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.RmsNorm;
import dev.retort.nn.Taps;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Checkpointing;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Lanes;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Scratch;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * The diffusion transformer (Peebles and Xie 2022) under its original parameter names. At the start every block is the
 * identity and the output is zero.
 *
 * <p>Made by {@link #pack} it is for sampling: its products are packed and cannot be trained, a request computes the
 * modulation of every block, which depends on time and condition alone, for all its steps at once, and a small network gives
 * each thread pictures of its own. Outputs are the same up to the rounding of the precision.
 */
public final class Dit extends Network {
    /** With more of them for a picture, ops are so long that sharing out each costs nothing, and weights are read once. */
    private static final long MOST_MACS_FOR_LANES = 2_000_000_000;

    private final DitSpec spec;
    private final boolean packed;
    private final boolean lanes;
    private final Tensor positions;
    private final Conv2d patchEmbedder;
    private final TimestepEmbedder timeEmbedder;
    private final Embedding labelEmbedder;
    private final ScalarEmbedder guidanceEmbedder;
    private final ScalarEmbedder endTimeEmbedder;
    private final RotaryPositions rotary;
    private final List<DitBlock> blocks = new ArrayList<>();
    private final RmsNorm finalNorm;
    private final Linear finalLinear;
    private final Linear finalModulation;
    private boolean recompute;

    /** A network with initial values (dit.md §1.4). */
    public Dit(DitSpec spec, Init init) {
        this(spec, init, false, true);
    }

    private Dit(DitSpec spec, Init init, boolean lanes, boolean modulates) {
        this.spec = spec;
        this.lanes = lanes && spec.macs() < MOST_MACS_FOR_LANES;
        packed = init.packs();
        int rows = spec.height() / spec.patch();
        int cols = spec.width() / spec.patch();
        int d = spec.hidden();
        positions = buffer(
                "pos_embed",
                init.fixed(
                        "pos_embed",
                        () -> Ops.view(
                                Tensors.of(PositionTable.sinCos(rows, cols, d), init.device()), 1, spec.tokens(), d)));
        patchEmbedder = child(
                "x_embedder.proj",
                Conv2d.xavier(init.at("x_embedder.proj"), spec.channels(), d, spec.patch(), spec.patch(), 0));
        timeEmbedder = modulates
                ? child(
                        "t_embedder",
                        new TimestepEmbedder(
                                init.at("t_embedder"), d, spec.convention().frequencyShift()))
                : null;
        int rowsOfTable = spec.classes() + (spec.hasNullClass() ? 1 : 0);
        labelEmbedder = modulates ? child("y_embedder", new Embedding(init.at("y_embedder"), rowsOfTable, d)) : null;
        guidanceEmbedder = modulates && spec.scalars().guidance()
                ? child("w_embedder", ScalarEmbedder.ofGuidance(init.at("w_embedder"), d))
                : null;
        endTimeEmbedder = modulates && spec.scalars().hasEndTime()
                ? child(
                        "s_embedder",
                        ScalarEmbedder.ofEndTime(
                                init.at("s_embedder"), spec.scalars().endTime(), d))
                : null;
        rotary = spec.modern()
                ? child("rotary", new RotaryPositions(init.device(), rows, cols, d / spec.heads()))
                : null;
        for (int i = 0; i < spec.depth(); i++) {
            String name = "blocks." + i;
            try (Scope scope = Scope.open()) {
                blocks.add(child(name, new DitBlock(init.at(name), spec, rotary, modulates)));
            }
        }
        Init last = init.at("final_layer");
        finalNorm = spec.modern() ? child("final_layer.norm_final", new RmsNorm(last.at("norm_final"), d)) : null;
        finalLinear = child(
                "final_layer.linear",
                Linear.zero(last.at("linear"), d, (long) spec.patch() * spec.patch() * spec.outChannels()));
        finalModulation = modulates
                ? child(
                        "final_layer.adaLN_modulation.1",
                        Linear.zero(last.at("adaLN_modulation.1"), d, (long) DitSpec.LAST_PARTS * d))
                : null;
        if (packed) {
            freeze();
        }
    }

    /**
     * A network for sampling, packed as its weights come: where they come from a file, no second copy of all of them ever
     * exists.
     *
     * @param weights the parameters under our names
     */
    public static Dit pack(DitSpec spec, WeightSource weights, Device device, Precision precision) {
        return pack(spec, weights, device, precision, true);
    }

    /** The same of layers behind the modulations alone, which are given to it by a {@link #request} or a {@link #forward}. */
    static Dit packWithoutModulations(DitSpec spec, WeightSource weights, Device device, Precision precision) {
        return pack(spec, weights, device, precision, false);
    }

    /** Layers behind the modulations alone, not packed. */
    static Dit withoutModulations(DitSpec spec, Init init) {
        return new Dit(spec, init, false, false);
    }

    private static Dit pack(DitSpec spec, WeightSource weights, Device device, Precision precision, boolean modulates) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            // In bf16 a picture's rounding would depend on which thread takes it.
            WeightSource scaled = new ScaledQueries(spec, weights);
            return new Dit(spec, Init.packed(scaled, device, precision), precision == Precision.FP32, modulates);
        }
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
        try (NoGrad off = packed ? NoGrad.on() : null) {
            Tensor c = Scratch.of(() -> condition(time, condition)); // (N, D)
            taps.offer("condition", c);
            return evaluate(this::modulations, AskedTime.of(time), taps, x, Ops.silu(c));
        }
    }

    /** Packed, computes the modulations of all steps, unless they would take too much memory: then each step computes its own. */
    @Override
    public Request open(List<Moment> moments, Condition condition) {
        return packed && condition.hasOnly(Set.of(Part.LABEL))
                ? ModulationTable.of(this, moments, Tensors.longs(condition.get(Part.LABEL)))
                        .map(table -> request(table, moments))
                        .orElseGet(() -> super.open(moments, condition))
                : super.open(moments, condition);
    }

    /** The steps whose modulations a table has; closing it closes the table. */
    Request request(ModulationTable table, List<Moment> moments) {
        return new Steps(table, moments.stream().mapToDouble(Moment::time).toArray());
    }

    /** One evaluation, asked at a time, with the modulations of a table's step. */
    Tensor forward(ModulationTable table, int step, AskedTime asked, Tensor x, Taps taps) {
        return forward(table, table.rows(step, x.size(0)), asked, x, taps);
    }

    /** The same with the row of a table that each sample has (N). */
    Tensor forward(ModulationTable table, Tensor rows, AskedTime asked, Tensor x, Taps taps) {
        return evaluate(table::at, asked, taps, x, rows);
    }

    private final class Steps implements Request {
        private final ModulationTable table;
        private final double[] times;

        Steps(ModulationTable table, double[] times) {
            this.table = table;
            this.times = times;
        }

        @Override
        public Tensor call(int step, Tensor x) {
            try (NoGrad off = NoGrad.on()) {
                return forward(table, step, AskedTime.of(times[step]), x, Taps.none());
            }
        }

        @Override
        public void close() {
            table.close();
        }
    }

    /** c of (M) times and conditions: (M, D), fp32. */
    Tensor condition(Tensor time, Condition told) {
        Tensor c = Ops.add(timeEmbedder.forward(time), labelEmbedder.forward(told.get(Part.LABEL)));
        if (guidanceEmbedder != null) {
            Tensor scale =
                    told.has(Part.GUIDANCE) ? told.get(Part.GUIDANCE) : Tensors.full(1, Device.of(time), time.size(0));
            c = Ops.add(c, guidanceEmbedder.forward(scale));
        }
        if (endTimeEmbedder != null) {
            Tensor end = told.has(Part.END_TIME) ? told.get(Part.END_TIME) : time;
            c = Ops.add(c, endTimeEmbedder.forward(end));
        }
        return Dtype.F32.cast(c);
    }

    /** How many layers are modulated: the blocks and the last layer. */
    int modulated() {
        return blocks.size() + 1;
    }

    /** How many modulations a layer has. */
    int modulations(int layer) {
        return layer == blocks.size() ? DitSpec.LAST_PARTS : DitSpec.BLOCK_PARTS;
    }

    /** What its product makes of SiLU(c) (M, D): a layer's modulations beside each other (M, parts·D). */
    Tensor joint(int layer, Tensor act) {
        Linear modulation =
                layer == blocks.size() ? finalModulation : blocks.get(layer).modulation();
        return packed ? Dtype.F32.cast(modulation.forward(act)) : modulation.forward(act);
    }

    /** A layer's modulations from SiLU(c) (M, D), each (M, 1, D): shift, factor and, in blocks, gate. */
    private Tensor[] modulations(int layer, Tensor act) {
        return DitBlock.parts(joint(layer, act), modulations(layer));
    }

    /** Where an evaluation has its modulations from. */
    private interface Modulations {
        /**
         * A layer's, each (N, 1, D).
         *
         * @param key what they are computed or found by: a row for each sample
         */
        Tensor[] of(int layer, Tensor key);
    }

    /** x (N, C, H, W), key as the modulations want it → (N, out, H, W), fp32. */
    private Tensor evaluate(Modulations modulations, AskedTime asked, Taps taps, Tensor x, Tensor key) {
        return lanes && taps.areNone() && Lanes.worth(x) && asked.isOne()
                ? Lanes.run(in -> asked(modulations, asked, taps, in[0], in[1]), x, key)
                : asked(modulations, asked, taps, x, key);
    }

    private Tensor asked(Modulations modulations, AskedTime asked, Taps taps, Tensor x, Tensor key) {
        try (AskedTime said = asked.begin()) {
            return blocks(modulations, taps, x, key);
        }
    }

    private Tensor blocks(Modulations modulations, Taps taps, Tensor x, Tensor key) {
        try (Scratch scratch = Scratch.open()) {
            Tensor h = Scratch.of(() -> tokens(x)); // (N, T, D), fp32
            offer(taps, "tokens", h, scratch);
            for (int i = 0; i < blocks.size(); i++) {
                String name = "blocks." + i;
                Tensor before = h;
                DitBlock.Out out =
                        block(i, before, modulations, key, taps.wants(name + ".attn") || taps.wants(name + ".mlp"));
                h = out.x(); // (N, T, D)
                offer(taps, name, h, scratch);
                offer(taps, name + ".attn", out.attn(), scratch);
                offer(taps, name + ".mlp", out.mlp(), scratch);
                if (!taps.wants(i == 0 ? "tokens" : "blocks." + (i - 1))) {
                    scratch.free(before); // what passes from block to block would be most of a sampler's memory
                }
            }
            Tensor[] m = modulations.of(blocks.size(), key); // shift, factor (N, 1, D)
            Tensor tokens = finalLinear.forward(
                    DitBlock.modulatedNorm(finalNorm, h, m[0], m[1], DitBlock.EPS)); // (N, T, p²·out)
            offer(taps, "final_tokens", tokens, scratch);
            return scratch.escape(unpatchify(Dtype.F32.cast(tokens))); // (N, out, H, W)
        }
    }

    private Tensor tokens(Tensor x) {
        Tensor patches = Ops.flatten(patchEmbedder.forward(x), 2, -1); // (N, D, T)
        return Ops.add(Ops.transpose(patches, 1, 2), positions); // (N, T, D)
    }

    private DitBlock.Out block(int index, Tensor h, Modulations modulations, Tensor key, boolean halves) {
        DitBlock block = blocks.get(index);
        if (recompute) {
            AskedTime asked = AskedTime.here();
            Tensor[] outs = Checkpointing.run(
                    device(),
                    in -> {
                        try (AskedTime said = asked.begin()) {
                            DitBlock.Out o = block.forward(in[0], modulations.of(index, in[1]), halves);
                            return halves ? new Tensor[] {o.x(), o.attn(), o.mlp()} : new Tensor[] {o.x()};
                        }
                    },
                    h,
                    key);
            return new DitBlock.Out(outs[0], halves ? outs[1] : null, halves ? outs[2] : null);
        }
        // Modulations that outlived their block would lie between what later ones free and cannot use again.
        try (Scratch scratch = Scratch.open()) {
            DitBlock.Out out = block.forward(h, modulations.of(index, key), halves);
            scratch.escape(out.x());
            if (halves) {
                scratch.escape(out.attn());
                scratch.escape(out.mlp());
            }
            return out;
        }
    }

    /** What is tapped outlives the call. */
    private static void offer(Taps taps, String name, Tensor tensor, Scratch scratch) {
        if (taps.wants(name)) {
            taps.offer(name, scratch.escape(tensor));
        }
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
