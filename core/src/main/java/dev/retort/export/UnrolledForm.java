package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.graph.Shape;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.model.Condition;
import dev.retort.onnx.GraphLowering;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxModel;
import dev.retort.onnx.OnnxOp;
import dev.retort.onnx.StepIndex;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * A file that computes all steps of one plan: noise in, pixels out. Where a step is guided the network is asked of twice as many samples, the
 * second half told nothing.
 */
final class UnrolledForm implements PlanNodes.Calls {
    private final OpenedModel model;
    private final Way way;
    private final OnnxBuilder builder = new OnnxBuilder();
    private final GraphLowering lowering;
    private final Shape state;
    /** What the samples are told, by the name of the input, and what they and as many that are told nothing are. */
    private final Map<String, String> told = new HashMap<>();

    private final Map<String, String> thenNone = new HashMap<>();

    private UnrolledForm(OpenedModel model, Way way, Dtype matrices) {
        this.model = model;
        this.way = way;
        lowering = new GraphLowering(builder, model.weights(), matrices);
        ImageShape shape = model.card().network().shape();
        state = Shape.ofSamples(shape.channels(), shape.height(), shape.width());
    }

    static OnnxModel of(OpenedModel model, Way way, Dtype matrices, Map<String, String> metadata) {
        return new UnrolledForm(model, way, matrices).written(metadata);
    }

    private OnnxModel written(Map<String, String> metadata) {
        NetworkSpec network = model.card().network();
        String noise = builder.input("noise", Dtype.F32, state);
        try (Scope scope = Scope.open()) {
            Condition none = way.sampler().asksTwice()
                    ? way.sampler().conditioner().none(1, Device.CPU)
                    : Condition.empty(1, Device.CPU);
            way.parts().forEach(part -> tell(part, none));
        }
        Plan plan = way.sampler().plan();
        for (int k = 0; k < plan.steps().size(); k++) {
            if (!plan.steps().get(k).noise().equals(NoiseScale.NONE)) {
                builder.input(noise(k), Dtype.F32, state);
            }
        }
        long outChannels = model.graph().outputs().get(0).shape().size(1).whole();
        String pixels = new PlanNodes(
                        builder,
                        plan,
                        network.channels(),
                        Math.toIntExact(outChannels),
                        network.shape().values())
                .all(noise, this);
        builder.output("pixels", Dtype.F32, state, pixels);
        return builder.model(metadata);
    }

    @Override
    public String noise(int step) {
        return "noise." + step;
    }

    @Override
    public String network(int step, String input) {
        boolean twice = way.asksTwice(step);
        String x = twice ? builder.add(OnnxOp.CONCAT, Map.of("axis", 0L), input, input) : input;
        Map<String, String> all = twice ? thenNone : told;
        builder.label("step." + step);
        List<String> inputs = new ArrayList<>();
        for (Value value : model.graph().inputs()) {
            inputs.add(
                    switch (value.name()) {
                        case "x" -> x;
                        case "row" -> row(step, all.get("label"));
                        default ->
                            all.containsKey(value.name())
                                    ? all.get(value.name())
                                    : repeated(way.told(step, value.name()), x);
                    });
        }
        Value output = model.graph().outputs().get(0);
        String answer = lowering.lower(model.graph(), inputs, range(step)).get(output.name());
        builder.label("step." + step);
        return twice
                ? guided(step, answer, Math.toIntExact(output.shape().size(1).whole()))
                : answer;
    }

    /** Which ranges the activations of a step have. */
    private StepIndex range(int step) {
        int count = model.rangeTimes().size();
        return count == 0
                ? StepIndex.ANY
                : StepIndex.at(model.range(way.moments().get(step).time()), count);
    }

    /** A number for each sample. */
    private String repeated(double number, String x) {
        String count = builder.add(OnnxOp.SHAPE, Map.of("start", 0L, "end", 1L), x);
        return builder.add(OnnxOp.EXPAND, builder.number(number), count);
    }

    /** Takes a part of the condition as an input; {@code none}, where it has the part, is a row that tells nothing. */
    private void tell(Part part, Condition none) {
        List<Integer> shape = model.card().network().condition().parts().get(part);
        Shape rows = Shape.ofSamples(shape.stream().mapToLong(size -> size).toArray());
        boolean ids = part == Part.LABEL || part == Part.TOKENS;
        Dtype type = ids ? Dtype.I64 : Dtype.F32;
        String input = builder.input(Way.input(part), type, rows);
        told.put(input, input);
        if (none.has(part)) {
            builder.label("none");
            String row = builder.constant("none." + input, type, numbers(none.get(part)), rows.at(1));
            String all = builder.add(OnnxOp.EXPAND, row, builder.add(OnnxOp.SHAPE, input));
            thenNone.put(input, builder.add(OnnxOp.CONCAT, Map.of("axis", 0L), input, all));
        }
    }

    private static double[] numbers(Tensor row) {
        if (!row.is_floating_point()) {
            return Arrays.stream(Tensors.longs(row)).asDoubleStream().toArray();
        }
        float[] values = Tensors.floats(row);
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /** The row of a folded network's table; of a label that is not in it, none at all, which is refused when it is looked up. */
    private String row(int step, String label) {
        FoldedDitSpec spec = model.folded();
        double[] places = new double[spec.classes() + 1];
        for (int i = 0; i < places.length; i++) {
            int place = spec.labels().indexOf(i);
            places[i] = place < 0 ? spec.rows() : place;
        }
        String place = builder.add(
                OnnxOp.GATHER, Map.of("axis", 0L), builder.constant("places", Dtype.I64, places, places.length), label);
        long moment = way.momentOf(step, spec);
        return builder.add(
                OnnxOp.ADD,
                place,
                builder.number(Dtype.I64, moment * spec.labels().size()));
    }

    /** u + g (c - u) on leading channels of the prediction, the conditional output alone on others. */
    private String guided(int step, String both, int all) {
        List<String> half = builder.add(2, OnnxOp.SPLIT, Map.of("axis", 0L, "num_outputs", 2L), both);
        NetworkSpec network = model.card().network();
        int channels = way.sampler().guidance().guidedChannels(network.channels() * network.outputs());
        String c = channels == all ? half.get(0) : channels(half.get(0), 0, channels);
        String u = channels == all ? half.get(1) : channels(half.get(1), 0, channels);
        String away = builder.add(
                OnnxOp.MUL,
                builder.add(OnnxOp.SUB, c, u),
                builder.number(way.scales().get(step)));
        String g = builder.add(OnnxOp.ADD, u, away);
        return channels == all
                ? g
                : builder.add(OnnxOp.CONCAT, Map.of("axis", 1L), g, channels(half.get(0), channels, all));
    }

    private String channels(String x, long from, long to) {
        return builder.add(OnnxOp.SLICE, x, builder.wholes(from), builder.wholes(to), builder.wholes(1));
    }
}
