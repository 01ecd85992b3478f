package dev.retort.train;

import dev.retort.layout.LoraLayout;
import dev.retort.layout.LoraModules;
import dev.retort.layout.PlacedLora;
import dev.retort.model.Weights;
import dev.retort.nn.Affine;
import dev.retort.nn.Layer;
import dev.retort.pipeline.Loras;
import dev.retort.pipeline.LowRankFactors;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The adapter that a run learned, as a file of its own beside the model into which it is merged: of what was added to each layer's weight the
 * nearest matrix of the adapter's rank. A moving average of products is none of that rank, so a little may be lost, which is said.
 */
final class TrainedAdapter {
    private final List<PlacedLora> placed = new ArrayList<>();
    private double energy;
    private double kept;

    /**
     * Of a network that still has its adapters.
     *
     * @param result the weights that the run publishes, by name
     */
    private TrainedAdapter(Layer network, Map<String, Tensor> result) {
        network.layers().forEach((path, layer) -> {
            if (layer instanceof Affine affine && affine.adapter().isPresent()) {
                try (Scope scope = Scope.open()) {
                    add(path, affine, result.get(path + ".weight"));
                }
            }
        });
    }

    private void add(String path, Affine layer, Tensor after) {
        float[] from = Tensors.floats(layer.weight());
        float[] to = Tensors.floats(after);
        double[] difference = new double[from.length];
        for (int i = 0; i < from.length; i++) {
            difference[i] = (double) to[i] - from[i];
        }
        long[] shape = Tensors.shape(after);
        LowRankFactors factors =
                Loras.factors(difference, shape, layer.adapter().orElseThrow().rank());
        energy += factors.energy();
        kept += factors.kept(factors.rank());
        placed.add(new PlacedLora(path, 0, Loras.pair(path, shape, factors)));
    }

    /**
     * Writes it in the layout of the PEFT library.
     *
     * @return what was written, a sentence
     */
    static String write(Path file, Layer network, Map<String, Tensor> result) {
        TrainedAdapter adapter = new TrainedAdapter(network, result);
        LoraModules modules =
                new LoraModules(file.toString(), Weights.shapes(network.stateWithoutAdapters()), Map.of());
        LoraLayout.PEFT.write(file, modules.denoiser(), modules.named(adapter.placed, LoraModules.OWN));
        return String.format(
                Locale.ROOT,
                "the adapter alone, of %d layers, is %s: it holds %.2f %% of what was learned (squared)",
                adapter.placed.size(),
                file,
                adapter.energy == 0 ? 100 : 100 * adapter.kept / adapter.energy);
    }
}
