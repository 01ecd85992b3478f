package dev.retort.sample;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Weights;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Surgery;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Folds what a student of few steps computes of times and labels alone into a table. Its card says in which numbers of steps,
 * on which grid and of which classes it is sampled, so it sees a few times and labels; the modulations of its layers at these
 * are fewer numbers than the weights that make them, a third of the network's.
 */
public final class Folding {
    private Folding() {}

    /**
     * Writes the folded model, which is sampled as the other and draws the same; a folder that holds more than a model is refused.
     * "No class" is in its table where the card guides it.
     *
     * @param model folder of the model
     * @param folder of the folded one
     * @param dtype type of all values in the file, but for those of quantised layers
     * @return its card
     * @throws RetortException of kind USAGE where times or labels are not few: of a model trained for any number of steps, or told its
     *     guidance
     */
    public static ModelCard fold(Path model, Path folder, Dtype dtype) {
        ModelCard card = Models.card(model);
        requireFew(card, model);
        Surgery surgery = Architectures.surgery(card.network(), card.network());
        if (!surgery.folds()) {
            throw refused(
                    model,
                    "what " + card.network().name()
                            + " computes of times alone is no large part of its weights; take it as it is");
        }
        Path weights = model.resolve(ModelFiles.WEIGHTS);
        try (Scope scope = Scope.open();
                TensorFile file = TensorFiles.open(weights);
                Denoiser network =
                        Models.packed(card.network(), card.quantization(), file, Device.CPU, Precision.FP32)) {
            Set<Moment> moments = new LinkedHashSet<>();
            List<Integer> labels = new ArrayList<>(card.labels());
            for (SamplingSpec way : Sampling.ways(card)) {
                Sampler sampler = Sampling.sampler(network, card, way, Precision.FP32);
                moments.addAll(sampler.moments());
                if (sampler.asksTwice() && !labels.contains(card.network().classes())) {
                    labels.add(card.network().classes());
                }
            }
            Surgery.Folded folded =
                    surgery.folded(network, Weights.read(weights, Device.CPU), List.copyOf(moments), labels);
            ModelCard result = card.withNetwork(folded.network());
            ModelFiles.save(folder, result, Weights.writer(folded.weights(), card.quantization(), dtype));
            return result;
        }
    }

    /** Whether a model of this card can be folded: it is asked at few times, and is not folded yet. */
    public static boolean allowed(ModelCard card) {
        return !card.network().folded()
                && !card.trainedFor().atAllTimes()
                && !card.network().scalars().guidance()
                && Architectures.of(card.network())
                        .surgery()
                        .filter(Surgery::folds)
                        .isPresent();
    }

    private static void requireFew(ModelCard card, Path model) {
        if (card.network().folded()) {
            throw refused(model, "it is folded already; take it as it is");
        }
        if (card.trainedFor().atAllTimes()) {
            throw refused(
                    model,
                    "it was trained for " + card.trainedFor().text()
                            + " and is asked at any time; distil it to few steps first ('retort presets distill')");
        }
        if (card.network().scalars().guidance()) {
            throw refused(model, "it is told its guidance, any number; distil it with one baked in (teacher.guidance)");
        }
    }

    private static RetortException refused(Path model, String why) {
        return new RetortException(Kind.USAGE, model + " cannot be folded: " + why);
    }
}
