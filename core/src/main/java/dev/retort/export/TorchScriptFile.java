package dev.retort.export;

import dev.retort.graph.Constant;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import dev.retort.graph.Weight;
import dev.retort.io.AtomicWrite;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.ScriptModule;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A network as a TorchScript archive, which PyTorch opens without this program: {@code torch.jit.load("network.pt")}. Its
 * parameters and buffers have the names that they have in checkpoints, and the graph's constants are buffers beside them
 * ({@code constant.0} and so on). It has the method {@code forward}, whose arguments are the graph's inputs, for any batch size,
 * and, where a plan is given, {@code sample}, as {@link TorchScriptPlan} says.
 */
public final class TorchScriptFile {
    /** Samples of the comparison: another number than the graph was recorded for would be, so that sizes are tested too. */
    private static final int SAMPLES = 5;

    private TorchScriptFile() {}

    /**
     * Writes, opens what was written, and compares its outputs with the graph's; only then does the file get its name.
     *
     * @param weights under their names in checkpoints, on the CPU; those that the graph does not use are left out
     * @param plan how {@code sample} samples; without one there is no such method
     * @param extra texts for the archive, such as the model's card, by file name: Python reads them by {@code _extra_files}
     * @return the largest difference of an output, of its largest value
     * @throws IllegalArgumentException naming what of the graph or the plan cannot be written
     * @throws dev.retort.error.RetortException of kind WRITE where the file cannot be written
     */
    public static double write(
            Path to,
            Graph graph,
            Map<String, Tensor> weights,
            Optional<TorchScriptPlan> plan,
            Map<String, String> extra) {
        String source = ForwardMethod.of(graph)
                + plan.map(sampling -> SampleMethod.of(sampling, graph)).orElse("");
        AtomicWrite.requireWritable(to);
        return AtomicWrite.scratch(to, folder -> {
            Path archive = folder.resolve(to.getFileName());
            save(archive, graph, weights, source, extra);
            double difference = compared(archive, graph, weights);
            AtomicWrite.place(archive, to);
            return difference;
        });
    }

    private static void save(
            Path archive, Graph graph, Map<String, Tensor> weights, String source, Map<String, String> extra) {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (Weight weight : graph.weights()) {
                String name = weight.value().name();
                if (!weights.containsKey(name)) {
                    throw new IllegalArgumentException(
                            "the graph uses " + weight.value() + ", expected it among the weights");
                }
                (weight.trained() ? parameters : buffers).put(name, weights.get(name));
            }
            for (Constant constant : graph.constants()) {
                buffers.put(constant.value().name(), GraphReplay.tensor(constant, Device.CPU));
            }
            try (ScriptModule module = ScriptModule.of("Network", parameters, buffers, source)) {
                module.save(archive, extra);
            }
        }
    }

    private static double compared(Path archive, Graph graph, Map<String, Tensor> weights) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ScriptModule module = ScriptModule.load(archive)) {
            Tensor[] inputs =
                    graph.inputs().stream().map(TorchScriptFile::values).toArray(Tensor[]::new);
            Tensor[] expected = new GraphReplay(graph, weights, Device.CPU).run(inputs);
            Tensor[] computed = module.call(ForwardMethod.NAME, (Object[]) inputs);
            double largest = 0;
            for (int i = 0; i < expected.length; i++) {
                double difference = Tolerance.FP32.error(Tensors.floats(computed[i]), Tensors.floats(expected[i]));
                if (!(difference <= Tolerance.FP32.most())) {
                    throw new IllegalStateException("output " + i
                            + " of the written archive differs from the network's by " + difference + " of its "
                            + Tolerance.FP32.unit() + ", expected at most " + Tolerance.FP32.most());
                }
                largest = Math.max(largest, difference);
            }
            return largest;
        }
    }

    /** Some values for an input; whole numbers are 0, which is a label of every network. */
    private static Tensor values(Value input) {
        int count = Math.toIntExact(input.shape().elements(SAMPLES));
        float[] values = new float[count];
        for (int i = 0; input.type().floating() && i < count; i++) {
            values[i] = (float) Math.sin(0.7 * i);
        }
        Tensor flat = Tensors.of(values, Device.CPU, count);
        return Ops.reshape(
                Dtype.of(input.type()).orElseThrow().cast(flat), input.shape().at(SAMPLES));
    }
}
