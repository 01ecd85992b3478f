package dev.retort.cut;

import dev.retort.card.ModelCard;
import dev.retort.card.UNetLayout;
import dev.retort.config.Require;
import dev.retort.model.Network;
import dev.retort.nn.WeightSource;
import dev.retort.quantize.CalibrationConfig;
import dev.retort.quantize.Sensitivity;
import dev.retort.quantize.States;
import dev.retort.report.Progress;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * The layers of transformers that change a network's output least: each is left out alone, at states that the model's own sampler asks, with
 * zeros in the place of what it adds.
 *
 * @param changes how far each takes the output away, relative to it
 * @param chosen those to leave out
 */
record LayerChoice(Map<String, Double> changes, Set<String> chosen) {
    /** Nothing is measured where nothing is to be left out. */
    static final LayerChoice NONE = new LayerChoice(Map.of(), Set.of());

    /**
     * Measures.
     *
     * @param prefix of the U-Net's parameters in the network
     * @param layout whose layers are asked; each transformer keeps one
     * @param levels of the network
     * @param count how many are left out
     */
    static LayerChoice of(
            Network network,
            ModelCard card,
            String prefix,
            UNetLayout layout,
            int levels,
            int count,
            CalibrationConfig calibration,
            Progress progress) {
        List<List<String>> transformers = layout.layers(levels);
        int most = transformers.stream()
                .mapToInt(layers -> Math.max(0, layers.size() - 1))
                .sum();
        Require.that(
                count <= most,
                "layers",
                count,
                "at most " + most + ": each of the " + transformers.size() + " transformers keeps one of its layers");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> weights = network.state();
            Sensitivity sensitivity =
                    new Sensitivity(card, source(weights, Set.of()), States.drawn(network, card, calibration));
            List<String> layers = transformers.stream()
                    .filter(each -> each.size() > 1)
                    .flatMap(List::stream)
                    .toList();
            Map<String, Double> changes = new LinkedHashMap<>();
            for (String layer : layers) {
                progress.update(changes.size(), layers.size(), layer);
                try (Scope each = Scope.open()) {
                    Set<String> zeros = new HashSet<>();
                    UNetLayout.writers(layer).forEach(name -> zeros.add(prefix + name));
                    changes.put(layer, sensitivity.output(source(weights, zeros)));
                }
            }
            progress.update(layers.size(), layers.size(), "");
            return new LayerChoice(changes, least(changes, transformers, count));
        }
    }

    private static WeightSource source(Map<String, Tensor> weights, Set<String> zeros) {
        return (name, dtype) -> {
            Tensor copy = Ops.copy(Ops.detach(weights.get(name)));
            return zeros.contains(name) ? Ops.mul(copy, 0) : copy;
        };
    }

    /** Those with the least changes, but for the last of each transformer. */
    private static Set<String> least(Map<String, Double> changes, List<List<String>> transformers, int count) {
        Set<String> chosen = new LinkedHashSet<>();
        List<String> rising = changes.keySet().stream()
                .sorted(Comparator.comparingDouble(changes::get))
                .toList();
        for (String layer : rising) {
            List<String> beside = transformers.stream()
                    .filter(layers -> layers.contains(layer))
                    .findFirst()
                    .orElseThrow();
            if (chosen.size() < count
                    && beside.stream().filter(chosen::contains).count() < beside.size() - 1) {
                chosen.add(layer);
            }
        }
        return chosen;
    }
}
