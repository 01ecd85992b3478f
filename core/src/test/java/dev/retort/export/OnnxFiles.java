package dev.retort.export;

import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.onnx.GraphLowering;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxModel;
import dev.retort.onnx.StepIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A graph alone as an ONNX model. */
final class OnnxFiles {
    private OnnxFiles() {}

    /** Its outputs are {@code output}, {@code output.1} and so on. */
    static OnnxModel of(Graph graph, TensorFile weights) {
        return of(graph, weights, StepIndex.ANY);
    }

    static OnnxModel of(Graph graph, TensorFile weights, StepIndex step) {
        OnnxBuilder builder = new OnnxBuilder();
        List<String> inputs = new ArrayList<>();
        graph.inputs().forEach(input -> inputs.add(builder.input(input.name(), input.type(), input.shape())));
        if (!step.input().isEmpty()) {
            builder.input(step.input(), Dtype.I64, dev.retort.graph.Shape.of(1));
        }
        Map<String, String> values = new GraphLowering(builder, weights, Dtype.F32).lower(graph, inputs, step);
        for (int i = 0; i < graph.outputs().size(); i++) {
            Value output = graph.outputs().get(i);
            String name = i == 0 ? "output" : "output." + i;
            builder.output(name, output.type(), output.shape(), values.get(output.name()));
        }
        return builder.model(Map.of());
    }
}
