package dev.retort.distill;

import dev.retort.card.QuantizationSpec;
import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.card.QuantizationSpec.Isa;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.config.Require;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Plan;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.quantize.FakeQuantization;
import dev.retort.sample.Sampler;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.train.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * How a student learns to be quantised: its weights to so many bits with a scale for each output channel, the inputs of its layers to
 * unsigned bytes by ranges that are first measured where it is sampled; weights and scales learn.
 *
 * @param bits of weights: 8, exact on CPUs with VNNI or AMX; 7, exact on any
 * @param ranges at most so many for the inputs of a layer: one for each time at which it is asked in sampling where there are no more
 * @param clip the least share of a row's largest weight that the search for its first scale tries; 1 to search none
 * @param samples drawn to measure the first ranges
 * @param keep layers that keep their bits, by name or, with {@code *}, by pattern
 */
public record QuantizeConfig(int bits, int ranges, double clip, int samples, List<String> keep) {
    /** First, last, time and class layers and modulations. */
    private static final List<String> USUALLY_KEPT =
            List.of("x_embedder*", "t_embedder*", "w_embedder*", "s_embedder*", "*adaLN_modulation*", "final_layer*");

    private static final int TOGETHER = 16;

    /** Validates. */
    public QuantizeConfig {
        Require.that(bits == 8 || bits == 7, "bits", bits, "8, for CPUs with VNNI or AMX, or 7, for any");
        Require.atLeast("ranges", ranges, 1);
        Require.between("clip", clip, 0.1, 1);
        Require.atLeast("samples", samples, 1);
        keep = List.copyOf(keep);
    }

    /** The usual one in so many bits. */
    public QuantizeConfig(int bits) {
        this(bits, 8, 0.7, 32, USUALLY_KEPT);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("ranges", 8, "clip", 0.7, "samples", 32, "keep", USUALLY_KEPT);
    }

    /**
     * How a student computes.
     *
     * @param student how it is asked
     * @param field where this stands in the recipe, for errors
     * @param trained the ways in which the result is to be sampled
     * @param labels of the samples; none for all classes
     * @throws RetortException of kind CONFIG where layers are named that it has not, or that have to be kept
     */
    FakeQuantization quantization(
            Predictor student, String field, Recipe recipe, TrainedFor trained, List<Integer> labels) {
        Network network = student.network();
        List<SamplingSpec> ways = ways(trained, recipe.run().sampling());
        Objective objective = recipe.objective();
        List<Plan> plans = ways.stream()
                .map(way -> SamplingPlan.of(objective.process().process(), way, objective.learnSigma()))
                .toList();
        QuantizationSpec spec = new QuantizationSpec(
                8,
                0,
                Activations.STATIC,
                bits == 8 ? Isa.VNNI : Isa.ANY,
                0,
                times(plans),
                layers(network, field),
                Map.of());
        List<Integer> classes = labels.isEmpty()
                ? IntStream.range(0, network.spec().classes()).boxed().toList()
                : labels;
        return new FakeQuantization(spec, clip, () -> {
            for (int i = 0; i < plans.size(); i++) {
                Sampler sampler = new Sampler(
                        network,
                        student.conditioner(),
                        plans.get(i),
                        ways.get(i).guidance(objective.process().noiseSchedule().noisiestTime()),
                        student.precision());
                draw(sampler, classes, recipe.run().seed());
            }
        });
    }

    private static List<SamplingSpec> ways(TrainedFor trained, SamplingSpec sampling) {
        return trained.atAllTimes()
                ? List.of(sampling)
                : trained.steps().stream()
                        .map(steps -> sampling.with(trained.solver()).with(steps, trained.grid()))
                        .toList();
    }

    /** The times of the plans, or as many as there are ranges, evenly taken from them; none where one range does. */
    private List<Double> times(List<Plan> plans) {
        double[] all = plans.stream()
                .flatMapToDouble(plan -> DoubleStream.of(plan.times()))
                .distinct()
                .sorted()
                .toArray();
        int count = Math.min(ranges, all.length);
        List<Double> times = new ArrayList<>();
        for (int i = count - 1; i >= 0; i--) {
            times.add(all[(2 * i + 1) * all.length / (2 * count)]);
        }
        return count == 1 ? List.of() : times;
    }

    private List<String> layers(Network network, String field) {
        List<String> layers;
        try {
            layers = FakeQuantization.layers(network, keep);
        } catch (RetortException e) {
            throw new RetortException(Kind.CONFIG, field + "." + e.getMessage(), e);
        }
        List<String> blocks = network.spec().blocks();
        layers.stream()
                .filter(layer -> network.spec().outputs() > 1
                        && blocks.stream().noneMatch(block -> layer.startsWith(block + ".")))
                .findFirst()
                .ifPresent(layer -> {
                    throw new RetortException(
                            Kind.CONFIG,
                            field + ".keep does not name " + layer + ", but of a student of several outputs only layers"
                                    + " inside blocks are quantised: at the end its outputs are summed up");
                });
        return layers;
    }

    private void draw(Sampler sampler, List<Integer> classes, long seed) {
        for (int first = 0; first < samples; first += TOGETHER) {
            long[] indices =
                    LongStream.range(first, Math.min(samples, first + TOGETHER)).toArray();
            int[] labels = Arrays.stream(indices)
                    .mapToInt(i -> classes.get((int) (i % classes.size())))
                    .toArray();
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                sampler.sample(new Prompts.Labels(labels), seed, indices);
            }
        }
    }
}
