package dev.retort.model;

import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.graph.Graph;
import dev.retort.nn.LayerGraph;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The {@link Graph} of a network: inputs {@code x}, {@code time} and the parts of its condition by name, in lower case; the
 * output, then taps. Multiply-accumulates, parameters and shapes are read from it, whatever the architecture.
 */
public final class NetworkGraph {
    private NetworkGraph() {}

    /**
     * Records.
     *
     * @param network with any weights, even without values
     * @param taps names of intermediates that are outputs too, in this order
     */
    public static Graph of(Network network, List<String> taps) {
        return LayerGraph.of(network, samples -> inputs(network.spec(), network.device(), samples), in -> {
            Condition condition = Condition.empty(in.get("x").size(0), network.device());
            for (Part part : network.spec().condition().parts().keySet()) {
                condition = condition.with(part, in.get(name(part)));
            }
            Taps wanted = Taps.of(taps);
            List<Tensor> outputs = new ArrayList<>();
            outputs.add(network.forward(in.get("x"), in.get("time"), condition, wanted));
            taps.forEach(tap -> outputs.add(wanted.get(tap)));
            return outputs.toArray(Tensor[]::new);
        });
    }

    /** Other numbers for another batch, so that a constant that follows them is found. */
    private static Map<String, Tensor> inputs(NetworkSpec spec, Device device, int samples) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("x", Tensors.full(1.0 / samples, device, samples, spec.channels(), spec.height(), spec.width()));
        inputs.put("time", Tensors.full(1.0 / samples, device, samples));
        spec.condition().parts().forEach((part, shape) -> {
            if (part == Part.LABEL) {
                int[] labels = new int[samples];
                Arrays.fill(labels, samples % spec.classes());
                inputs.put(name(part), Tensors.of(labels, device));
            } else if (part == Part.TOKENS) {
                long[] ids = new long[samples * shape.get(0) * shape.get(1)];
                Arrays.fill(ids, samples % 2);
                inputs.put(name(part), Ops.view(Tensors.of(ids, device), samples, shape.get(0), shape.get(1)));
            } else {
                long[] all = new long[shape.size() + 1];
                all[0] = samples;
                for (int i = 0; i < shape.size(); i++) {
                    all[i + 1] = shape.get(i);
                }
                inputs.put(name(part), Tensors.full(1.0 / samples, device, all));
            }
        });
        return inputs;
    }

    private static String name(Part part) {
        return part.name().toLowerCase(Locale.ROOT);
    }
}
