package dev.retort.export;

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
                .lower(model.graph(), inputs, step(builder, model));
        Value output = model.graph().outputs().get(0);
        builder.output("output", output.type(), output.shape(), values.get(output.name()));
        return builder.model(metadata);
    }

    /** Of a folded network whose activations have a range for each moment, that of the first row; another one's are the same at each step. */
    private static StepIndex step(OnnxBuilder builder, OpenedModel model) {
        if (model.folded() == null || !Quantization.hasRanges(model.weights())) {
            return StepIndex.ANY;
        }
        builder.label("step");
        String first = builder.add(OnnxOp.SLICE, "row", builder.wholes(0), builder.wholes(1));
        String moment = builder.add(
                OnnxOp.DIV, first, builder.wholes(model.folded().labels().size()));
        return StepIndex.in(moment, model.folded().times().size());
    }
}
