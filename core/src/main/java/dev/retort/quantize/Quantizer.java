package dev.retort.quantize;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.QuantizationSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Weights;
import dev.retort.nn.WeightSource;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.QuantizationReport.Fate;
import dev.retort.quantize.QuantizationReport.LayerReport;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Quantises a model: what {@code retort quantize} does, as a call. The model is watched while it is sampled, what can be folded is, weights
 * are rounded, each layer's harm is measured, and the layers that do most of it keep their bits until the budget holds. On the CPU.
 *
 * @param model folder of the model
 * @param recipe how
 * @param notes is told what is done
 * @param progress of the layers that are measured
 */
public record Quantizer(Path model, QuantizeRecipe recipe, Consumer<String> notes, Progress progress) {
    /**
     * Writes the quantised model, a folder as every model is; one that holds more than a model is refused.
     *
     * @param out its folder
     * @throws RetortException of kind CONFIG where the recipe does not fit the model or its budget cannot hold, CHECKPOINT where the model is
     *     quantised already, ENVIRONMENT where this machine cannot compute what is asked for
     */
    public QuantizationReport run(Path out) {
        requireOther(out);
        ModelFiles.requireReplaceable(out);
        ModelCard card = ModelFiles.card(model);
        card.requireFloats(model, "be quantised again");
        TargetCpu.requireComputable(recipe);
        try (Scope scope = Scope.open();
                Pipeline<Denoiser> origin = Models.open(model, Device.CPU, Precision.FP32)) {
            Map<String, Tensor> weights = Weights.read(model.resolve(ModelFiles.WEIGHTS), Device.CPU);
            List<States> states = recipe.calibration().trajectories().isEmpty()
                    ? States.drawn(origin.network(), card, recipe.calibration())
                    : States.cached(origin.network(), card, recipe.calibration());
            notes.accept("Watched " + recipe.calibration().samples() + " samples");
            WeightSource floats = Candidate.source(weights);
            Sensitivity sensitivity = new Sensitivity(card, floats, states);
            Map<String, LayerInputs> inputs = Calibration.of(floats, card, states);
            KeptLayers kept = new KeptLayers(recipe.keep(), order(card.network(), inputs.keySet()));
            if (recipe.smooth() > 0) {
                Map<String, Tensor> smoothed = copies(weights);
                SmoothQuant.apply(card.network(), smoothed, inputs, kept.others(), recipe.smooth());
                weights = smoothed;
            }
            Map<String, Tensor> stored = inTypeOfOthers(weights);
            inputs = Calibration.of(Candidate.source(stored), card, states);
            Candidate candidate = new Candidate(recipe, stored, inputs, kept.others());
            Chosen chosen = choose(candidate, kept, sensitivity);
            QuantizationSpec spec = candidate.spec(chosen.layers, chosen.alone);
            ModelFiles.save(out, card.withQuantization(spec), Weights.writer(candidate.tensors(spec), spec, others()));
            return new QuantizationReport(
                    spec, reports(kept, chosen, weights), chosen.errors, bytes(model), bytes(out), times(card, out));
        }
    }

    /** A model is not replaced by what is made of it. */
    private void requireOther(Path out) {
        try {
            if (Files.exists(out) && Files.isSameFile(out, model)) {
                throw new RetortException(
                                Kind.USAGE,
                                out + " is the model itself, whose floats would be lost; give another folder")
                        .about("out");
            }
        } catch (IOException e) {
            throw new RetortException(Kind.DATA, out + " cannot be read: " + AtomicWrite.reason(e), e);
        }
    }

    /** In the network's order. */
    private static List<String> order(NetworkSpec spec, Set<String> layers) {
        return Architectures.of(spec).parameters(spec).keySet().stream()
                .filter(name -> name.endsWith(QuantizationSpec.WEIGHT))
                .map(name -> name.substring(0, name.length() - QuantizationSpec.WEIGHT.length()))
                .filter(layers::contains)
                .toList();
    }

    private static Map<String, Tensor> copies(Map<String, Tensor> weights) {
        Map<String, Tensor> copies = new LinkedHashMap<>();
        weights.forEach((name, tensor) -> copies.put(name, Ops.copy(tensor)));
        return copies;
    }

    private Dtype others() {
        return switch (recipe.weights().others()) {
            case FP32 -> Dtype.F32;
            case FP16 -> Dtype.F16;
            case BF16 -> Dtype.BF16;
        };
    }

    /** As they will be read from the file, so that what is measured is what is written. */
    private Map<String, Tensor> inTypeOfOthers(Map<String, Tensor> weights) {
        Map<String, Tensor> stored = new LinkedHashMap<>();
        weights.forEach((name, tensor) -> stored.put(name, Dtype.F32.cast(others().cast(tensor))));
        return stored;
    }

    private record Chosen(List<String> layers, Map<String, Double> alone, Errors errors) {}

    /** The layers to round: all that are not kept, but for the worst of them while the budget does not hold. */
    private Chosen choose(Candidate candidate, KeptLayers kept, Sensitivity sensitivity) {
        Map<String, Double> alone = new LinkedHashMap<>();
        List<String> layers = new ArrayList<>(kept.others());
        for (String layer : kept.others()) {
            progress.update(alone.size(), layers.size(), layer);
            alone.put(layer, sensitivity.output(candidate.source(List.of(layer))));
        }
        progress.update(layers.size(), layers.size(), "");
        List<String> worst = new ArrayList<>(layers);
        worst.sort(Comparator.comparingDouble(alone::get));
        Errors errors = sensitivity.errors(candidate.source(layers));
        while (!recipe.budget().holds(errors)) {
            String raised = worst.remove(worst.size() - 1);
            layers.remove(raised);
            if (layers.isEmpty()) {
                throw new RetortException(
                        Kind.CONFIG,
                        "the budget does not hold with a single layer quantised; allow more than budget.output "
                                + recipe.budget().output() + " and budget.sample "
                                + recipe.budget().sample() + ", or take more bits or finer groups");
            }
            errors = sensitivity.errors(candidate.source(layers));
            notes.accept(raised + " keeps its bits: alone it changes the output by " + percent(alone.get(raised)));
        }
        return new Chosen(layers, alone, errors);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    private static List<LayerReport> reports(KeptLayers kept, Chosen chosen, Map<String, Tensor> weights) {
        return kept.all().stream()
                .map(layer -> new LayerReport(
                        layer,
                        Arrays.stream(Tensors.shape(weights.get(layer + QuantizationSpec.WEIGHT)))
                                .boxed()
                                .toList(),
                        chosen.alone.getOrDefault(layer, Double.NaN),
                        chosen.layers.contains(layer)
                                ? Fate.QUANTISED
                                : kept.others().contains(layer) ? Fate.RAISED : Fate.KEPT))
                .toList();
    }

    private static long bytes(Path folder) {
        return folder.resolve(ModelFiles.WEIGHTS).toFile().length();
    }

    private Map<String, Double> times(ModelCard card, Path out) {
        Map<String, StepTime.Contender> contenders = new LinkedHashMap<>();
        List<Precision> precisions = new ArrayList<>(List.of(Precision.FP32));
        if (Precision.choose("auto", Device.CPU).precision() == Precision.BF16) {
            precisions.add(Precision.BF16);
        }
        try {
            for (Precision precision : precisions) {
                String name = precision.name().toLowerCase(Locale.ROOT);
                contenders.put(name, contender(model, precision));
                contenders.put(QuantizationReport.QUANTISED + name, contender(out, precision));
            }
            return StepTime.of(card, contenders);
        } finally {
            contenders.values().forEach(contender -> contender.network().close());
        }
    }

    private static StepTime.Contender contender(Path folder, Precision precision) {
        return new StepTime.Contender(Models.open(folder, Device.CPU, precision).network(), precision);
    }
}
