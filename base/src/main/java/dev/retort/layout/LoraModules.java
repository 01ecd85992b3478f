package dev.retort.layout;

import dev.retort.config.Suggestion;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.WeightLayout.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The layers of a network that an adapter may add to, under every name that files have for them: its own, those of other programs'
 * layouts, and each with low lines instead of dots. Where a layout keeps parts of a weight apart, as q, k and v of a transformer, an
 * adapter of one of them adds to its rows alone, exactly.
 */
public final class LoraModules {
    private static final String WEIGHT = ".weight";
    /** The network's own names. */
    public static final String OWN = "own";

    /**
     * A layer, or a part of one, under one of its names.
     *
     * @param naming whose name it is
     * @param path the name
     * @param own its path in the network
     * @param firstRow where its rows begin
     * @param shape of its part of the weight
     */
    record Module(String naming, String path, String own, long firstRow, long[] shape) {
        String parameter() {
            return own + WEIGHT;
        }

        boolean isAt(Module other) {
            return own.equals(other.own) && firstRow == other.firstRow && shape[0] == other.shape[0];
        }
    }

    private final String model;
    private final Map<LoraComponent, Map<String, Module>> named = new EnumMap<>(LoraComponent.class);
    private final Map<LoraComponent, Map<String, List<Module>>> low = new EnumMap<>(LoraComponent.class);

    /**
     * Of a network.
     *
     * @param model what errors call it
     * @param parameters its own, with their shapes; of a pipeline's networks behind {@code unet.}, {@code text_encoder.} and
     *     {@code text_encoder_2.}
     * @param layouts the names of other programs' files, by what these are called
     */
    public LoraModules(String model, Map<String, long[]> parameters, Map<String, List<Part>> layouts) {
        this.model = model;
        boolean pipeline = parameters.keySet().stream().anyMatch(name -> name.startsWith("unet."));
        for (LoraComponent component : LoraComponent.values()) {
            named.put(component, new LinkedHashMap<>());
            low.put(component, new LinkedHashMap<>());
        }
        parameters.forEach((name, shape) -> {
            if (isProduct(name, shape)) {
                String own = without(name, WEIGHT);
                LoraComponent component = pipeline ? component(own) : LoraComponent.DENOISER;
                String path = pipeline ? own.substring(own.indexOf('.') + 1) : own;
                add(component, new Module(OWN, path, own, 0, shape));
            }
        });
        Map<String, Module> denoiser = Map.copyOf(named.get(LoraComponent.DENOISER));
        LdmNames.of(denoiser.keySet()).forEach((path, ldm) -> {
            Module layer = denoiser.get(path);
            add(LoraComponent.DENOISER, new Module("ldm", ldm, layer.own(), 0, layer.shape()));
        });
        layouts.forEach((naming, parts) -> parts.stream()
                .filter(part -> part.key().endsWith(WEIGHT) && denoiser.containsKey(without(part.parameter(), WEIGHT)))
                .forEach(part -> add(
                        LoraComponent.DENOISER,
                        new Module(
                                naming,
                                without(part.key(), WEIGHT).replace(OriginalUNet.PREFIX, ""),
                                without(part.parameter(), WEIGHT),
                                part.firstRow(),
                                part.shape()))));
    }

    /** Whether a parameter is the weight of a linear layer or convolution: tables of embeddings have the shape of one, and are none. */
    public static boolean isProduct(String name, long[] shape) {
        return name.endsWith(WEIGHT)
                && (shape.length == 2 || shape.length == 4)
                && !name.matches(".*embedding(_table)?\\.weight");
    }

    private static LoraComponent component(String own) {
        return Arrays.stream(LoraComponent.values())
                .filter(component -> component.dotted().stream().anyMatch(start -> own.startsWith(start + ".")))
                .findFirst()
                .orElse(LoraComponent.DENOISER);
    }

    private static String without(String name, String end) {
        return name.endsWith(end) ? name.substring(0, name.length() - end.length()) : name;
    }

    private void add(LoraComponent component, Module module) {
        if (named.get(component).putIfAbsent(module.path(), module) == null) {
            low.get(component)
                    .computeIfAbsent(module.path().replace('.', '_'), absent -> new ArrayList<>())
                    .add(module);
        }
    }

    /** How files call the denoiser: {@code unet} where it has the blocks of one, else {@code transformer}. */
    public String denoiser() {
        return named.get(LoraComponent.DENOISER).keySet().stream().anyMatch(path -> path.startsWith("down_blocks."))
                ? "unet"
                : "transformer";
    }

    /**
     * The places of all adapters of a file.
     *
     * @throws RetortException of kind CHECKPOINT where one has no place or another shape than its layer; nothing is applied then
     */
    public List<PlacedLora> resolve(LoraFile file) {
        LoraMisfit misfit = new LoraMisfit(file, model);
        misfit.requireFamily(named.get(LoraComponent.DENOISER).values());
        List<LoraPair> lost = new ArrayList<>();
        Map<Module, LoraPair> places = new LinkedHashMap<>();
        for (LoraPair pair : file.pairs()) {
            Optional<Module> place = place(pair, misfit);
            if (place.isEmpty()) {
                lost.add(pair);
            } else {
                misfit.requireShape(pair, place.get());
                LoraPair before = places.put(place.get(), pair);
                if (before != null) {
                    throw misfit.twice(before, pair, place.get());
                }
            }
        }
        if (!lost.isEmpty()) {
            throw misfit.lost(lost, !known(lost.get(0)).isEmpty(), nearest(lost.get(0)));
        }
        return placed(places, misfit);
    }

    /** Each once: a layer that a program stores several times must be adapted alike everywhere. */
    private List<PlacedLora> placed(Map<Module, LoraPair> places, LoraMisfit misfit) {
        Map<String, PlacedLora> placed = new LinkedHashMap<>();
        places.forEach((module, pair) -> {
            List<Module> copies = copies(module);
            List<LoraPair> all = copies.stream().map(places::get).toList();
            if (all.stream().anyMatch(other -> other == null || !other.adds(pair))) {
                throw misfit.shared(pair, module, copies.size());
            }
            placed.putIfAbsent(
                    module.own() + " " + module.firstRow(), new PlacedLora(module.own(), module.firstRow(), pair));
        });
        return List.copyOf(placed.values());
    }

    private Optional<Module> place(LoraPair pair, LoraMisfit misfit) {
        if (!pair.underscored()) {
            return Optional.ofNullable(named.get(pair.component()).get(pair.module()));
        }
        List<Module> modules = low.get(pair.component()).getOrDefault(pair.module(), List.of());
        if (modules.stream().anyMatch(module -> !module.isAt(modules.get(0)))) { // such as a.b_c and a_b.c
            throw misfit.ambiguous(pair, modules);
        }
        return modules.stream().findFirst();
    }

    /** Names in the spelling of a pair. */
    private Set<String> known(LoraPair pair) {
        return pair.underscored()
                ? low.get(pair.component()).keySet()
                : named.get(pair.component()).keySet();
    }

    private Optional<String> nearest(LoraPair pair) {
        return Suggestion.nearest(pair.module(), known(pair))
                .map(near -> pair.underscored()
                        ? low.get(pair.component()).get(near).get(0).path()
                        : near);
    }

    /** Names of one naming for the same rows, this one too. */
    private List<Module> copies(Module module) {
        return named.get(LoraComponent.DENOISER).values().stream()
                .filter(other -> other.naming().equals(module.naming()) && other.isAt(module))
                .toList();
    }

    /**
     * Adapters under the network's own names, or those of another layout: there one of a weight that is kept in parts becomes one for each
     * part, with the same A and its rows of B; several of parts of one weight become one whose rank is the sum of theirs.
     *
     * @param layout what the layout is called; {@code own}, or one that has no names of its own, for the network's names
     * @throws RetortException of kind CHECKPOINT where the layout has no such layer
     */
    public List<LoraPair> named(List<PlacedLora> placed, String layout) {
        boolean other = named.get(LoraComponent.DENOISER).values().stream()
                .anyMatch(module -> module.naming().equals(layout));
        List<LoraPair> pairs = new ArrayList<>();
        Map<String, Long> rows = new HashMap<>();
        named.values().forEach(modules -> modules.values().stream()
                .filter(module -> module.naming().equals(OWN))
                .forEach(module -> rows.put(module.own(), module.shape()[0])));
        for (LoraPair pair : PlacedLora.joined(placed, rows)) {
            int before = pairs.size();
            named.forEach((component, modules) -> modules.values().stream()
                    .filter(module -> module.own().equals(pair.module()))
                    .filter(module ->
                            module.naming().equals(other && component == LoraComponent.DENOISER ? layout : OWN))
                    .forEach(module -> pairs.add(pair.rows((int) module.firstRow(), (int) module.shape()[0])
                            .at(component, module.path()))));
            if (pairs.size() == before) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "the layout " + layout + " has no layer for " + pair.module() + " of " + model
                                + "; write the layout peft, which keeps the network's own names");
            }
        }
        return pairs;
    }
}
