package dev.retort.pipeline;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.layout.ConvertedWeights;
import dev.retort.layout.Fit;
import dev.retort.layout.LoraFile;
import dev.retort.layout.LoraLayout;
import dev.retort.layout.LoraModules;
import dev.retort.layout.LoraPair;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.PlacedLora;
import dev.retort.layout.WeightedLora;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Adapters of low rank as files: merged into models for good, and taken of the difference between two models. */
public final class Loras {
    private Loras() {}

    /**
     * Writes a model with adapters merged into its weights, in the type that they have; a negative weight takes an adapter off again.
     *
     * @param model a folder of ours, or another program's file or folder
     * @param out the folder of the new model
     * @return what was applied, and what to mind, a sentence each
     */
    public static List<String> merge(Path model, List<WeightedLora> adapters, Path out) {
        ModelFiles.requireReplaceable(out);
        try (StoredModel stored = StoredModel.open(model);
                Adaptation adaptation = new Adaptation(stored.card(), model, adapters)) {
            List<String> notes = new ArrayList<>(stored.notes());
            notes.addAll(adaptation.notes());
            Dtype dtype = ConvertedWeights.single(stored.parameters()).orElse(Dtype.F32);
            ModelFiles.convert(out, adaptation.card(), adaptation.of(stored.parameters()), dtype);
            return notes;
        }
    }

    /**
     * Writes an adapter in another layout.
     *
     * @param model whose layers it is for: needed where dots of their names are low lines in the file, and where names of the diffusers
     *     library are wanted for a transformer
     * @return modules written
     * @throws RetortException of kind USAGE where a model is needed
     */
    public static int convert(Path in, Optional<Path> model, LoraLayout to, Path out) {
        try (LoraFile file = LoraFile.open(in)) {
            List<LoraPair> pairs = model.map(place -> {
                        LoraModules modules =
                                Adaptation.modules(Models.card(place).network(), place);
                        String names = to == LoraLayout.DIFFUSERS ? "diffusers" : LoraModules.OWN;
                        return modules.named(modules.resolve(file), names);
                    })
                    .orElseGet(file::pairs);
            pairs.stream().filter(LoraPair::underscored).findFirst().ifPresent(pair -> {
                throw new RetortException(
                                Kind.USAGE,
                                in + " has names such as '" + pair.name()
                                        + "', whose low lines only the model that it is for tells from dots; give that model")
                        .about("model");
            });
            to.write(out, file.denoiser(), pairs);
            return pairs.size();
        }
    }

    /**
     * What an extracted adapter keeps.
     *
     * @param modules that it has: layers whose weights differ
     * @param kept share of the layers' squared difference that each rank holds, from rank 1 on
     * @param leftOut share of all that differs, squared, which no adapter can hold: biases, norms, tables
     * @param without names of what is left out
     */
    public record Extracted(int modules, List<Double> kept, double leftOut, List<String> without) {}

    /**
     * Writes the adapter that makes of one model nearly another: of each layer's difference the nearest matrix of low rank.
     *
     * @param base the model that the adapter will be applied to
     * @param tuned what it became by training, of the same network
     * @param rank of the adapter, at most a layer's smaller side
     */
    public static Extracted extract(Path base, Path tuned, int rank, Path out) {
        try (StoredModel before = StoredModel.open(base);
                StoredModel after = StoredModel.open(tuned)) {
            before.card().requireFloats(base, "be what an adapter is for");
            after.card().requireFloats(tuned, "be what an adapter makes");
            Map<String, TensorEntry> entries = before.parameters().entries();
            Map<String, long[]> shapes = new LinkedHashMap<>();
            entries.forEach((name, entry) -> shapes.put(name, entry.shape()));
            Fit.of(shapes, after.parameters().entries()).require(tuned);
            Difference difference = new Difference(before.parameters(), after.parameters());
            List<PlacedLora> placed = new ArrayList<>();
            double[] kept = new double[rank];
            double products = 0;
            for (String name : entries.keySet()) {
                double[] values = difference.of(name);
                if (values != null && LoraModules.isProduct(name, shapes.get(name))) {
                    LowRankFactors factors = factors(values, shapes.get(name), rank);
                    placed.add(new PlacedLora(layer(name), 0, pair(layer(name), shapes.get(name), factors)));
                    products += factors.energy();
                    for (int r = 0; r < rank; r++) {
                        kept[r] += factors.kept(r + 1);
                    }
                }
            }
            if (placed.isEmpty()) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        base + " and " + tuned
                                + " differ in no layer's weight, so there is nothing to extract; give the"
                                + " model before training and the one after");
            }
            LoraModules modules = Adaptation.modules(before.card().network(), base);
            LoraLayout.PEFT.write(out, modules.denoiser(), modules.named(placed, LoraModules.OWN));
            List<Double> shares = new ArrayList<>();
            for (double share : kept) {
                shares.add(share / products);
            }
            return new Extracted(
                    placed.size(),
                    shares,
                    difference.leftOut() / (products + difference.leftOut()),
                    difference.without());
        }
    }

    /** The differing values of two models' parameters, one parameter after another. */
    private static final class Difference {
        private final TensorFile before;
        private final TensorFile after;
        private final List<String> without = new ArrayList<>();
        private double leftOut;

        Difference(TensorFile before, TensorFile after) {
            this.before = before;
            this.after = after;
        }

        /** Null where there is none; what no adapter can hold is counted. */
        double[] of(String name) {
            float[] from = before.floats(name);
            float[] to = after.floats(name);
            double[] difference = new double[from.length];
            double energy = 0;
            for (int i = 0; i < from.length; i++) {
                difference[i] = (double) to[i] - from[i];
                energy += difference[i] * difference[i];
            }
            if (!Double.isFinite(energy)) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "'" + name + "' of " + before.path() + " or " + after.path()
                                + " has values that are no numbers; give sound models");
            }
            if (energy > 0 && !LoraModules.isProduct(name, before.entry(name).shape())) {
                without.add(name);
                leftOut += energy;
            }
            return energy > 0 ? difference : null;
        }

        double leftOut() {
            return leftOut;
        }

        List<String> without() {
            return List.copyOf(without);
        }
    }

    /** Factors of what is added to a weight of this shape. */
    public static LowRankFactors factors(double[] difference, long[] shape, int rank) {
        int out = Math.toIntExact(shape[0]);
        return LowRankFactors.of(difference, out, difference.length / out, rank);
    }

    /** The pair of a layer whose weight has this shape. */
    public static LoraPair pair(String layer, long[] shape, LowRankFactors factors) {
        long[] down = shape.clone();
        down[0] = factors.rank();
        long[] up =
                shape.length == 2 ? new long[] {shape[0], factors.rank()} : new long[] {shape[0], factors.rank(), 1, 1};
        return LoraPair.of(layer, down, factors.a(), up, factors.b());
    }

    private static String layer(String parameter) {
        return parameter.substring(0, parameter.lastIndexOf('.'));
    }
}
