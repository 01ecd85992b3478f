package dev.retort.train;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.Batch;
import dev.retort.data.ImageSource;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.evaluate.SlicedWasserstein;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunFolder;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Which weights of a run are best in each of some numbers of steps: those whose samples, always of the same noises and labels, lie nearest
 * to images of the data ({@link SlicedWasserstein}). No network has a say in it. What is best so far stands in the run's folder, so
 * a run that goes on knows it.
 */
final class BestAtSteps {
    private static final int SAMPLES = 256;
    private static final int BATCH = 64;
    private static final long SEED = 1L << 40; // of no run

    private final Network network;
    private final ModelCard card;
    private final Precision precision;
    private final List<Integer> counts;
    private final Batch batch;
    private final SlicedWasserstein distance;

    /** @param network whose weights are overwritten */
    BestAtSteps(Network network, ModelCard card, ImageSource source, Precision precision, List<Integer> counts) {
        this.network = network;
        this.card = card;
        this.precision = precision;
        this.counts = counts;
        batch = Batch.drawn(source, SAMPLES, SEED);
        distance = new SlicedWasserstein(network.spec().shape(), batch.pixels());
    }

    /** Of the numbers of steps asked for those in which a model is sampled; none where these are fewer than two, or it follows its ODE. */
    static List<Integer> counts(ModelCard card, List<Integer> asked) {
        List<Integer> counts = asked.stream()
                .distinct()
                .filter(steps ->
                        card.trainedFor().solver() != null && card.trainedFor().allows(steps) && planned(card, steps))
                .toList();
        return counts.size() < 2 ? List.of() : counts;
    }

    private static boolean planned(ModelCard card, int steps) {
        try {
            SamplingPlan.of(card, card.sampling().withSteps(steps));
            return true;
        } catch (RetortException e) {
            return false; // of a grid of other steps, or of heads that so many steps do not share
        }
    }

    /** Writes the weights with a card into a folder. */
    @FunctionalInterface
    interface Writer {
        void write(Path folder, ModelCard card);
    }

    /**
     * Measures weights in each number of steps, and writes them where they are better than any before.
     *
     * @return the distances by names of the log
     */
    Map<String, Object> measure(RunFolder run, Map<String, Tensor> weights, long imagesSeen, Writer writer) {
        network.load(weights);
        Map<String, Object> found = new LinkedHashMap<>();
        for (int steps : counts) {
            SamplingSpec sampling = card.sampling().withSteps(steps);
            String name = TrainingMetric.slicedWasserstein(steps);
            double value = distance.of(samples(sampling));
            found.put(name, value);
            Path folder = run.model(steps);
            if (best(folder, name, imagesSeen).orElse(Double.POSITIVE_INFINITY) > value) {
                writer.write(
                        folder,
                        card.withSampling(sampling)
                                .withTrainedFor(card.trainedFor().inSteps(steps, sampling))
                                .withImagesSeen(imagesSeen)
                                .withMetric(name, value));
            }
        }
        return found;
    }

    /** What was found of the best before; what a run left behind that went further before it was stopped does not count. */
    private static OptionalDouble best(Path folder, String name, long imagesSeen) {
        if (!Files.exists(folder.resolve(ModelFiles.CARD))) {
            return OptionalDouble.empty();
        }
        ModelCard saved = ModelFiles.card(folder);
        Double value = saved.metrics().get(name);
        return value == null || saved.imagesSeen() >= imagesSeen ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private float[] samples(SamplingSpec sampling) {
        Sampler sampler = Sampling.sampler(network, card.withTrainedFor(TrainedFor.ANY), sampling, precision);
        Prompts prompts = batch.prompts();
        float[] all = new float[batch.pixels().length];
        int size = all.length / SAMPLES;
        for (int first = 0; first < SAMPLES; first += BATCH) {
            try (Scope scope = Scope.open()) {
                float[] some = Tensors.floats(sampler.sample(
                        prompts.slice(first, BATCH),
                        SEED,
                        LongStream.range(first, first + BATCH).toArray()));
                System.arraycopy(some, 0, all, first * size, some.length);
            }
        }
        return all;
    }
}
