package dev.retort.quantize;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryManifest;
import dev.retort.diffusion.Plan;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Denoiser;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * What a network is given when some samples are drawn.
 *
 * @param way how they are
 * @param prompts what each is to show
 * @param seed of their noises
 * @param first place of the first one's noise under the seed
 * @param inputs at steps of the way's plan (N, C, H, W)
 */
public record States(SamplingSpec way, Prompts prompts, long seed, int first, Map<Integer, Tensor> inputs) {
    private static final int TOGETHER = 16;
    private static final double SAME_TIME = 1e-6;

    /** Its places under the seed. */
    long[] indices() {
        return LongStream.range(first, first + prompts.size()).toArray();
    }

    /** The states of samples drawn by a network in every way that its card knows, in the caller's scope. */
    public static List<States> drawn(Denoiser network, ModelCard card, CalibrationConfig config) {
        List<States> all = new ArrayList<>();
        for (SamplingSpec way : Sampling.ways(card)) {
            Sampler sampler = Sampling.sampler(network, card, way, Precision.FP32);
            for (int first = 0; first < config.samples(); first += TOGETHER) {
                Prompts prompts = Prompts.inTurn(card, first, Math.min(TOGETHER, config.samples() - first));
                Map<Integer, Tensor> inputs = new LinkedHashMap<>();
                States states = new States(way, prompts, config.seed(), first, inputs);
                Scope.Home here = Scope.here();
                try (Scope scope = Scope.open()) {
                    sampler.sample(
                            prompts,
                            config.seed(),
                            states.indices(),
                            (input, step) -> inputs.put(step, here.make(() -> Ops.copy(input))));
                }
                all.add(states);
            }
        }
        return all;
    }

    /**
     * The states of a cache, of each way at those of its steps whose times the cache has, in the caller's scope.
     *
     * @throws RetortException of kind DATA where they are of another size, other classes or other times
     */
    static List<States> cached(Denoiser network, ModelCard card, CalibrationConfig config) {
        Trajectories cache = Trajectories.open(Path.of(config.trajectories()));
        TrajectoryManifest manifest = cache.manifest();
        requireFit(manifest, card, config);
        List<SamplingSpec> ways = card.trainedFor().atAllTimes() ? List.of(manifest.sampling()) : Sampling.ways(card);
        List<States> all = new ArrayList<>();
        int samples = Math.min(config.samples(), cache.size());
        for (SamplingSpec way : ways) {
            Plan plan = Sampling.sampler(network, card, way, Precision.FP32).plan();
            for (int first = 0; first < samples; first += TOGETHER) {
                all.add(read(cache, plan, way, first, Math.min(TOGETHER, samples - first)));
            }
        }
        return all;
    }

    private static States read(Trajectories cache, Plan plan, SamplingSpec way, int first, int count) {
        TrajectoryManifest manifest = cache.manifest();
        Prompts prompts = cache.prompts(IntStream.range(first, first + count).toArray());
        Map<Integer, Tensor> inputs = new LinkedHashMap<>();
        double[] times = plan.times();
        for (int step = 0; step < times.length; step++) {
            int state = stateAt(manifest.times(), times[step]);
            if (state < 0) {
                continue;
            }
            float[] values = new float[count * manifest.values()];
            for (int i = 0; i < count; i++) {
                cache.read(first + i, state, values, i * manifest.values());
            }
            inputs.put(
                    step,
                    Tensors.of(values, Device.CPU, count, manifest.channels(), manifest.height(), manifest.width()));
        }
        if (inputs.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "calibration.trajectories has states at the times " + manifest.times()
                            + ", and the model is asked at " + Arrays.toString(times)
                            + "; leave it out, so that states are drawn");
        }
        return new States(way, prompts, manifest.seed(), first, inputs);
    }

    private static int stateAt(List<Double> times, double time) {
        for (int i = 0; i < times.size() - 1; i++) {
            if (Math.abs(times.get(i) - time) <= SAME_TIME * Math.max(1, Math.abs(time))) {
                return i;
            }
        }
        return -1;
    }

    private static void requireFit(TrajectoryManifest manifest, ModelCard card, CalibrationConfig config) {
        String size = manifest.channels() + " x " + manifest.height() + " x " + manifest.width();
        String expected = card.network().channels() + " x " + card.network().height() + " x "
                + card.network().width();
        if (!size.equals(expected)) {
            throw wrong(config, "are of " + size + " values, and the model's of " + expected);
        }
        if (!manifest.classNames().equals(card.classes())) {
            throw wrong(config, "are of other classes than the model's");
        }
        if (!manifest.readsAlike(Optional.ofNullable(card.text()))) {
            throw wrong(config, "are of texts that other tokenizers read than the model's");
        }
        if (!manifest.process().equals(card.process())) {
            throw wrong(config, "are of another process than the model's");
        }
    }

    private static RetortException wrong(CalibrationConfig config, String how) {
        return new RetortException(
                Kind.DATA,
                "calibration.trajectories is " + config.trajectories() + ", whose states " + how
                        + "; keep trajectories of this model, or leave it out, so that states are drawn");
    }
}
