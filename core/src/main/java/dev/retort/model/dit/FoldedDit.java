package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.FoldedDitSpec;
import dev.retort.card.Part;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.graph.Graph;
import dev.retort.layout.DitLayout;
import dev.retort.model.Condition;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.nn.AskedTime;
import dev.retort.nn.Init;
import dev.retort.nn.LayerGraph;
import dev.retort.nn.Taps;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;

/**
 * A transformer whose modulations are a table of the few times and labels that it is asked at, from its file: it computes none of
 * them. Everything behind them is a packed {@link Dit}, so its outputs are those of the network that it was folded from.
 */
public final class FoldedDit implements Denoiser {
    private final FoldedDitSpec spec;
    private final Dit dit;
    /** For each layer (times·labels, parts, D), fp32. */
    private final List<Tensor> layers;

    private FoldedDit(FoldedDitSpec spec, Dit dit, List<Tensor> layers) {
        this.spec = spec;
        this.dit = dit;
        this.layers = layers;
    }

    /** What a network is folded to that is asked at these moments and labels alone. */
    public static FoldedDitSpec spec(DitSpec spec, List<Moment> moments, List<Integer> labels) {
        return new FoldedDitSpec(
                spec,
                moments.stream().map(Moment::time).toList(),
                moments.stream()
                        .filter(moment -> spec.scalars().hasEndTime())
                        .map(moment -> moment.numbers().get(Part.END_TIME))
                        .toList(),
                labels);
    }

    /**
     * The weights of a folded network: those of layers behind the modulations as they are, and the table, made by the products by
     * which a request makes its own.
     *
     * @param packed the network, in fp32
     * @param weights of it, by name
     * @param moments the times of the table
     */
    public static Map<String, Tensor> weights(
            Dit packed, Map<String, Tensor> weights, List<Moment> moments, List<Integer> labels) {
        DitSpec spec = packed.spec();
        Map<String, Tensor> folded = new LinkedHashMap<>(weights);
        folded.keySet().removeIf(DitLayout::servesModulation);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor act = ModulationTable.activations(
                    packed, moments, labels.stream().map(Long::valueOf).toList());
            for (int i = 0; i < packed.modulated(); i++) {
                Tensor joint = packed.joint(i, act);
                folded.put(
                        DitLayout.modulation(spec, i),
                        scope.escape(
                                Ops.view(joint, moments.size(), labels.size(), packed.modulations(i), spec.hidden())));
            }
        }
        return folded;
    }

    /** A network for sampling, packed as its weights come. */
    public static FoldedDit pack(FoldedDitSpec spec, WeightSource weights, Device device, Precision precision) {
        Dit dit = Dit.packWithoutModulations(spec.unfolded(), weights, device, precision);
        List<Tensor> layers = new ArrayList<>();
        try (NoGrad off = NoGrad.on()) {
            for (int i = 0; i < dit.modulated(); i++) {
                try (Scope scope = Scope.open()) {
                    Tensor joint = Ops.view(
                            Dtype.F32.cast(weights.take(DitLayout.modulation(spec.unfolded(), i), Dtype.F32)),
                            spec.rows(),
                            -1);
                    layers.add(scope.keep(ModulationTable.stacked(joint, dit.modulations(i))));
                }
            }
        }
        return new FoldedDit(spec, dit, layers);
    }

    /** What such a network computes of {@code x} and the {@code row} of each sample in its table, moment · labels + label. */
    public static Graph graph(FoldedDitSpec spec) {
        DitSpec whole = spec.unfolded();
        try (Scope scope = Scope.open();
                Dit dit = Dit.withoutModulations(whole, Init.blank(Device.CPU))) {
            Map<String, Tensor> weights = new LinkedHashMap<>(dit.state());
            DitLayout.parameters(spec)
                    .forEach((name, shape) ->
                            weights.computeIfAbsent(name, table -> Tensors.empty(Dtype.F32, Device.CPU, shape)));
            return LayerGraph.of(weights, dit.parameters().keySet(), n -> inputs(spec, n), in -> {
                List<Tensor> layers = new ArrayList<>();
                for (int i = 0; i < dit.modulated(); i++) {
                    Tensor joint = Ops.view(weights.get(DitLayout.modulation(whole, i)), spec.rows(), -1);
                    layers.add(ModulationTable.stacked(joint, dit.modulations(i)));
                }
                Tensor row = in.get("row");
                return new Tensor[] {
                    dit.forward(new ModulationTable(layers, row), row, AskedTime.here(), in.get("x"), Taps.none())
                };
            });
        }
    }

    private static Map<String, Tensor> inputs(FoldedDitSpec spec, int samples) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("x", Tensors.full(1.0 / samples, Device.CPU, samples, spec.channels(), spec.height(), spec.width()));
        inputs.put("row", Tensors.of(new long[samples], Device.CPU));
        return inputs;
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        float[] times = Tensors.floats(time);
        float[] ends = condition.has(Part.END_TIME) ? Tensors.floats(condition.get(Part.END_TIME)) : times;
        long[] labels = Tensors.longs(condition.get(Part.LABEL));
        long[] rows = new long[times.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = row(times[i], ends[i], labels[i]);
        }
        try (NoGrad off = NoGrad.on();
                ModulationTable table = table(rows, 1)) {
            return dit.forward(table, 0, AskedTime.of(time), x, taps);
        }
    }

    /**
     * Opens a request.
     *
     * @throws RetortException of kind USAGE where a time or a label is none of the table's
     */
    @Override
    public Request open(List<Moment> moments, Condition condition) {
        long[] labels = Tensors.longs(condition.get(Part.LABEL));
        long[] rows = new long[moments.size() * labels.length];
        for (int i = 0; i < rows.length; i++) {
            Moment moment = moments.get(i / labels.length);
            double end = moment.numbers().getOrDefault(Part.END_TIME, moment.time());
            rows[i] = row(moment.time(), end, labels[i % labels.length]);
        }
        return dit.request(table(rows, moments.size()), moments);
    }

    private ModulationTable table(long[] rows, int steps) {
        try (Scope scope = Scope.open()) {
            return new ModulationTable(
                    layers.stream()
                            .map(layer -> scope.keep(
                                    Ops.narrow(layer, 0, 0, spec.rows()))) // a view of its own, closed with the table
                            .toList(),
                    scope.keep(Ops.view(Tensors.of(rows, device()), steps, rows.length / steps)));
        }
    }

    private long row(double time, double end, long label) {
        int at = spec.labels().indexOf((int) label);
        if (at < 0) {
            String which = label == spec.classes() ? "no class, as for guidance" : "label " + label;
            throw refused(which, "the labels " + spec.labels());
        }
        OptionalInt moment = spec.moment(time, end);
        if (moment.isPresent()) {
            return (long) moment.getAsInt() * spec.labels().size() + at;
        }
        throw refused(
                "time " + time + (spec.ends().isEmpty() ? "" : ", to land at " + end),
                "the times " + spec.times() + (spec.ends().isEmpty() ? "" : ", to land at " + spec.ends()));
    }

    private RetortException refused(String asked, String known) {
        return new RetortException(
                Kind.USAGE,
                spec.name() + " was asked at " + asked + ", but its table has " + known
                        + " alone; sample it as its card says, or the model that it was folded from");
    }

    @Override
    public FoldedDitSpec spec() {
        return spec;
    }

    @Override
    public Device device() {
        return dit.device();
    }

    @Override
    public void close() {
        layers.forEach(Tensor::close);
        dit.close();
    }
}
