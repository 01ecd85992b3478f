package dev.retort.export;

import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.onnx.GraphLowering;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxWriter;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Finds the first layer at which ONNX Runtime computes something else than libtorch, by a file whose outputs are all values between
 * a network's layers. What a quantised layer is to compute are products of rounded numbers in fp32.
 */
final class FirstDifference {
    private final OpenedModel model;
    private final List<Node> nodes;

    private FirstDifference(OpenedModel model) {
        this.model = model;
        this.nodes = model.graph().nodes().stream()
                .filter(node -> node.out().type() == Dtype.F32)
                .toList();
    }

    /**
     * Half a sentence that names the layer.
     *
     * @param inputs of one call
     * @param time of this call
     * @param matrices as in the file that differs
     * @param tolerance what is rounding
     * @param probe where the file may be written
     */
    static String of(
            OpenedModel model,
            Map<String, Object> inputs,
            double time,
            Dtype matrices,
            Tolerance tolerance,
            Path probe) {
        FirstDifference search = new FirstDifference(model);
        search.write(matrices, probe);
        return search.first(inputs, time, tolerance, probe);
    }

    private void write(Dtype matrices, Path probe) {
        Graph graph = model.graph();
        OnnxBuilder builder = new OnnxBuilder();
        List<String> names = new ArrayList<>();
        graph.inputs().forEach(input -> names.add(builder.input(input.name(), input.type(), input.shape())));
        Map<String, String> values = new GraphLowering(builder, model.weights(), matrices)
                .lower(graph, names, NetworkForm.range(builder, model));
        nodes.forEach(node -> {
            Value value = node.out();
            builder.output(value.name(), value.type(), value.shape(), values.get(value.name()));
        });
        OnnxWriter.write(probe, builder.model(Map.of()), OnnxWriter.MOST_INSIDE);
    }

    private String first(Map<String, Object> inputs, double time, Tolerance tolerance, Path probe) {
        Graph graph = model.graph();
        Graph all = new Graph(
                graph.inputs(),
                graph.weights(),
                graph.constants(),
                graph.nodes(),
                nodes.stream().map(Node::out).toList());
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                OnnxSession session = OnnxSession.open(probe)) {
            Map<String, float[]> there = session.run(inputs);
            Tensor[] here = new GraphReplay(all, weights(), Device.CPU, new RoundedProduct(model, model.range(time)))
                    .run(tensors(inputs));
            for (int i = 0; i < here.length; i++) {
                double error = tolerance.error(there.get(nodes.get(i).out().name()), Tensors.floats(here[i]));
                if (!(error <= tolerance.most())) {
                    return "the first layer that differs is " + place(nodes.get(i)) + ", by " + error;
                }
            }
            return "no layer by itself differs so much";
        }
    }

    private Map<String, Tensor> weights() {
        Map<String, Tensor> weights = new HashMap<>();
        model.graph().weights().forEach(weight -> {
            String name = weight.value().name();
            weights.put(name, model.floats(name));
        });
        return weights;
    }

    private Tensor[] tensors(Map<String, Object> inputs) {
        return model.graph().inputs().stream()
                .map(input -> {
                    Object values = inputs.get(input.name());
                    return values instanceof float[] floats
                            ? Tensors.of(floats, Device.CPU, input.shape().at(batch(inputs)))
                            : Ops.reshape(
                                    Tensors.of((long[]) values, Device.CPU),
                                    input.shape().at(batch(inputs)));
                })
                .toArray(Tensor[]::new);
    }

    private long batch(Map<String, Object> inputs) {
        Value x = model.graph().inputs().get(0);
        return ((float[]) inputs.get(x.name())).length / x.shape().elements(1);
    }

    /** The op, and the layer whose weight it takes or behind which it stands. */
    private String place(Node node) {
        Set<String> weights = new HashSet<>();
        model.graph().weights().forEach(weight -> weights.add(weight.value().name()));
        String last = "the inputs";
        for (Node before : model.graph().nodes()) {
            for (Value value : before.in()) {
                if (weights.contains(value.name())) {
                    last = value.name().replaceFirst("\\.(weight|bias)$", "");
                }
            }
            if (before.equals(node)) {
                break;
            }
        }
        boolean own = node.in().stream().anyMatch(value -> weights.contains(value.name()));
        return own ? last + " (" + node.op() + ")" : node.op() + " behind " + last;
    }
}
