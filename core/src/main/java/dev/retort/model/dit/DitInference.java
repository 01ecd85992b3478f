package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.model.Request;
import dev.retort.model.Staging;
import dev.retort.model.WeightSource;
import dev.retort.nn.PreparedLinear;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Lanes;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * A diffusion transformer made ready for sampling: weights prepared once ({@link PreparedLinear}), the attention's 1/√d
 * folded into q, and the modulation of every block, which depends on time and label alone, computed for all steps of a
 * request at once. Outputs equal those of the network it was made from up to the rounding of the precision. It cannot be
 * trained and shares no tensor with its origin, which may be closed.
 */
public final class DitInference extends Network {
    /** With more of them for a picture, ops are so long that sharing out each costs nothing, and weights are read once. */
    private static final long MOST_MACS_FOR_LANES = 2_000_000_000;

    private final DitSpec spec;
    private final Dtype dtype;
    private final Tensor positions;
    private final PreparedLinear embedder;
    private final List<PreparedBlock> blocks = new ArrayList<>();
    private final RotaryPositions rotary;
    private final Tensor finalNorm;
    private final PreparedLinear finalLinear;
    private final Modulations modulations;

    /** Prepares a copy. */
    public DitInference(Dit origin, Precision precision) {
        this(origin, precision, new Staging());
    }

    private DitInference(Dit origin, Precision precision, Staging staging) {
        this(origin.spec(), staging.copies(origin.state()), origin.device(), precision);
        staging.close();
    }

    /**
     * Prepares weights as they come: where they come from a file, no second copy of all of them ever exists.
     *
     * @param weights the parameters of {@link Dit}
     * @param device where they live
     */
    public DitInference(DitSpec spec, WeightSource weights, Device device, Precision precision) {
        this.spec = spec;
        dtype = precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            // The largest weights first: what they leave free serves all others.
            modulations = new Modulations(spec, weights, dtype);
            positions = buffer("pos_embed", Ops.copy(weights.take("pos_embed", Dtype.F32)));
            embedder = embedder(weights, dtype);
            rotary = spec.modern()
                    ? new RotaryPositions(
                            device,
                            spec.height() / spec.patch(),
                            spec.width() / spec.patch(),
                            spec.hidden() / spec.heads())
                    : null;
            for (int i = 0; i < spec.depth(); i++) {
                blocks.add(new PreparedBlock(spec, weights, "blocks." + i + ".", rotary, dtype));
            }
            finalNorm = spec.modern() ? PreparedBlock.copy(weights, "final_layer.norm_final.weight") : null;
            finalLinear = PreparedBlock.linear(weights, "final_layer.linear", dtype);
        }
    }

    private static PreparedLinear embedder(WeightSource weights, Dtype dtype) {
        try (Scope scope = Scope.open()) {
            Tensor kernel = weights.take("x_embedder.proj.weight", dtype);
            return new PreparedLinear(Ops.flatten(kernel, 1, -1), weights.take("x_embedder.proj.bias", dtype), dtype);
        }
    }

    @Override
    public DitSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {
        throw new IllegalStateException("a network prepared for inference has no backward pass");
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        return evaluate(in -> modulations.at(in[1], in[2]), taps, x, time, condition.get(Part.LABEL));
    }

    /** Computes the modulations of all steps, unless they would take too much memory: then each step computes its own. */
    @Override
    public Request open(double[] times, Condition condition) {
        return modulations
                .table(times, Tensors.longs(condition.get(Part.LABEL)))
                .<Request>map(Steps::new)
                .orElseGet(() -> super.open(times, condition));
    }

    private final class Steps implements Request {
        private final ModulationTable table;

        Steps(ModulationTable table) {
            this.table = table;
        }

        @Override
        public Tensor call(int step, Tensor x) {
            return evaluate(in -> table.at(in[1]), Taps.none(), x, table.rows(step, x.size(0)));
        }

        @Override
        public void close() {
            table.close();
        }
    }

    /**
     * One evaluation.
     *
     * @param modulation one (N, parts, D) per block, then (N, 2, D), from the inputs
     * @param inputs images (N, C, H, W), then what {@code modulation} knows its samples by, each (N)
     */
    private Tensor evaluate(Function<Tensor[], Tensor[]> modulation, Taps taps, Tensor... inputs) {
        // In bf16 a picture's rounding depends on which thread takes it.
        return dtype == Dtype.F32 && taps.areNone() && spec.macs() < MOST_MACS_FOR_LANES && Lanes.worth(inputs[0])
                ? Lanes.run(in -> blocks(modulation, taps, in), inputs)
                : blocks(modulation, taps, inputs);
    }

    private Tensor blocks(Function<Tensor[], Tensor[]> modulation, Taps taps, Tensor[] inputs) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor[] m = modulation.apply(inputs);
            Tensor h = Ops.add(embedder.forward(patchify(inputs[0])), positions); // (N, T, D), fp32
            offer(taps, "tokens", h, scope);
            for (int i = 0; i < blocks.size(); i++) {
                Tensor in = h;
                h = blocks.get(i).forward(in, m[i]); // (N, T, D)
                offer(taps, "blocks." + i, h, scope);
                if (!taps.wants(i == 0 ? "tokens" : "blocks." + (i - 1))) {
                    in.close(); // what passes from block to block would be most of a sampler's memory
                }
            }
            Tensor last = m[blocks.size()];
            Tensor tokens =
                    finalLinear.forward(PreparedBlock.modulated(finalNorm, h, last, 0, DitBlock.EPS)); // (N, T, p²·out)
            offer(taps, "final_tokens", tokens, scope);
            return scope.escape(unpatchify(Dtype.F32.cast(tokens))); // (N, out, H, W)
        }
    }

    /** What is tapped outlives the call. */
    private static void offer(Taps taps, String name, Tensor tensor, Scope scope) {
        if (taps.wants(name)) {
            taps.offer(name, scope.escape(tensor));
        }
    }

    /** (N, C, H, W) → (N, T, C·p·p), the order of the embedding convolution's weight. */
    private Tensor patchify(Tensor x) {
        long n = x.size(0);
        long p = spec.patch();
        long rows = spec.height() / p;
        long cols = spec.width() / p;
        long c = spec.channels();
        Tensor patches = Ops.permute(Ops.view(dtype.cast(x), n, c, rows, p, cols, p), 0, 2, 4, 1, 3, 5);
        return Ops.reshape(patches, n, rows * cols, c * p * p);
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

    @Override
    public void close() {
        embedder.close();
        blocks.forEach(PreparedBlock::close);
        finalLinear.close();
        modulations.close();
        if (finalNorm != null) {
            finalNorm.close();
        }
        if (rotary != null) {
            rotary.close();
        }
        super.close();
    }
}
