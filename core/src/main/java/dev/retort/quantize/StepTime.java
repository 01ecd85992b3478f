package dev.retort.quantize;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.model.Denoiser;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Times the networks that a machine could sample with beside each other: turn by turn, so that what else runs disturbs all alike. */
public final class StepTime {
    private static final int PICTURES = 4;
    private static final int MOST_TURNS = 15;
    private static final int LEAST_TURNS = 3;
    private static final long MOST_NANOS = 5_000_000_000L;

    /** A network in the precision that it is to be sampled in. */
    public record Contender(Denoiser network, Precision precision) {}

    private StepTime() {}

    /** Median milliseconds of a step of four pictures, for each of the networks. */
    public static Map<String, Double> of(ModelCard card, Map<String, Contender> contenders) {
        Map<String, double[]> turns = new LinkedHashMap<>();
        contenders.keySet().forEach(name -> turns.put(name, new double[MOST_TURNS]));
        contenders.values().forEach(contender -> time(card, contender)); // the first call is slower
        long start = System.nanoTime();
        int done = 0;
        while (done < LEAST_TURNS || done < MOST_TURNS && System.nanoTime() - start < MOST_NANOS) {
            int turn = done++;
            contenders.forEach((name, contender) -> turns.get(name)[turn] = time(card, contender));
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        int count = done;
        turns.forEach((name, times) -> {
            double[] sorted = Arrays.copyOf(times, count);
            Arrays.sort(sorted);
            medians.put(name, sorted[count / 2]);
        });
        return medians;
    }

    private static double time(ModelCard card, Contender contender) {
        SamplingSpec way = card.sampling();
        Sampler sampler = Sampling.sampler(contender.network(), card, way, contender.precision());
        long[] indices = {0, 1, 2, 3};
        long start = System.nanoTime();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            sampler.sample(Prompts.inTurn(card, 0, PICTURES), 0, indices);
        }
        return (System.nanoTime() - start) / 1e6 / sampler.plan().steps().size();
    }
}
