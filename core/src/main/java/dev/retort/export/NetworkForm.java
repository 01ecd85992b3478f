package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.onnx.GraphLowering;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxModel;
import dev.retort.onnx.OnnxOp;
import dev.retort.onnx.StepIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A file that computes one call of a network, whatever its step: who has it runs the plan in its metadata. */
final class NetworkForm {
    private NetworkForm() {}

    static OnnxModel of(OpenedModel model, Dtype matrices, Map<String, String> metadata) {
        OnnxBuilder builder = new OnnxBuilder();
        List<String> inputs = new ArrayList<>();
        for (Value input : model.graph().inputs()) {
            inputs.add(builder.input(input.name(), input.type(), input.shape()));
        }
        Map<String, String> values = new GraphLowering(builder, model.weights(), matrices)
                .lower(model.graph(), inputs, range(builder, model));
        Value output = model.graph().outputs().get(0);
        builder.output("output", output.type(), output.shape(), values.get(output.name()));
        return builder.model(metadata);
    }

    /** Of activations with several ranges the one of the first sample's time: a call asks all samples at one. */
    static StepIndex range(OnnxBuilder builder, OpenedModel model) {
        List<Double> times = model.rangeTimes();
        if (times.isEmpty()) {
            return StepIndex.ANY;
        }
        builder.label("range");
        return StepIndex.in(
                model.folded() == null ? nearest(builder, times) : ofRow(builder, model, model.folded()), times.size());
    }

    private static String nearest(OnnxBuilder builder, List<Double> times) {
        String all = builder.constant(
                "times", Dtype.F32, times.stream().mapToDouble(time -> time).toArray(), times.size());
        String away = builder.add(OnnxOp.ABS, builder.add(OnnxOp.SUB, all, first(builder, "time")));
        return builder.add(OnnxOp.ARG_MIN, Map.of("axis", 0L, "keepdims", 1L), away);
    }

    private static String ofRow(OnnxBuilder builder, OpenedModel model, FoldedDitSpec spec) {
        double[] ranges = spec.times().stream().mapToDouble(model::range).toArray();
        String moment = builder.add(
                OnnxOp.DIV, first(builder, "row"), builder.wholes(spec.labels().size()));
        return builder.add(
                OnnxOp.GATHER,
                Map.of("axis", 0L),
                builder.constant("ranges", Dtype.I64, ranges, ranges.length),
                moment);
    }

    private static String first(OnnxBuilder builder, String input) {
        return builder.add(OnnxOp.SLICE, input, builder.wholes(0), builder.wholes(1));
    }
}
