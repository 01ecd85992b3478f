package dev.retort.pipeline;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.io.TensorFile;
import dev.retort.layout.AdaptedWeights;
import dev.retort.layout.LoraFile;
import dev.retort.layout.LoraModules;
import dev.retort.layout.PlacedLora;
import dev.retort.layout.WeightLayout;
import dev.retort.layout.WeightedLora;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Adapter files opened for a model: every module of theirs has its place in the network, or nothing is opened at all. */
public final class Adaptation implements AutoCloseable {
    private final List<LoraFile> files = new ArrayList<>();
    private final List<PlacedLora> placed = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final ModelCard card;

    /**
     * Opens adapters, which are added up.
     *
     * @param model what errors call the model
     * @throws dev.retort.error.RetortException of kind CHECKPOINT where one does not fit, or the model is quantised
     */
    public Adaptation(ModelCard card, Object model, List<WeightedLora> adapters) {
        if (adapters.isEmpty()) {
            this.card = card;
            return;
        }
        this.card = card.withAdapters(adapters.stream().map(WeightedLora::text).toList());
        card.requireFloats(model, "take an adapter");
        LoraModules modules = modules(card.network(), model);
        try {
            for (WeightedLora adapter : adapters) {
                LoraFile file = LoraFile.open(adapter.file());
                files.add(file);
                List<PlacedLora> found = modules.resolve(file);
                found.forEach(one -> placed.add(one.weighted(adapter.weight())));
                notes.add(note(adapter, file));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The layers of a network that adapters may add to, under all names that its architecture knows. */
    public static LoraModules modules(NetworkSpec spec, Object model) {
        Architecture<NetworkSpec> architecture = Architectures.of(spec);
        Map<String, List<WeightLayout.Part>> layouts = new LinkedHashMap<>();
        for (WeightLayout<NetworkSpec> layout : architecture.layouts()) {
            if (layout.has(spec)) {
                layouts.put(layout.id(), layout.parts(spec));
            }
        }
        return new LoraModules(model.toString(), architecture.parameters(spec), layouts);
    }

    private static String note(WeightedLora adapter, LoraFile file) {
        int modules = file.pairs().size();
        return String.format(
                Locale.ROOT,
                "%s: %d of %d modules, rank %s, weight %s",
                adapter.file(),
                modules,
                modules,
                file.ranks(),
                adapter.weight());
    }

    /** The weights with the adapters merged into them as they are read. */
    public TensorFile of(TensorFile parameters) {
        return placed.isEmpty() ? parameters : new AdaptedWeights(parameters, placed);
    }

    /** The model's card, which says what is merged. */
    public ModelCard card() {
        return card;
    }

    /** What was applied, a sentence for each file. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public void close() {
        files.forEach(LoraFile::close);
    }
}
