package dev.retort.sample;

import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Predictor;
import dev.retort.model.Request;
import dev.retort.torch.Autocast;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ObjIntConsumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws images from a network. Each sample has its own address (seed, index), so it does not depend on the batch it is
 * drawn in.
 *
 * @param network the network, on its device
 * @param conditioner makes of prompts what the network is conditioned on
 * @param plan solver, time grid and process
 * @param guidance classifier-free guidance
 * @param precision arithmetic of the network
 * @param shape of the images or latents that are drawn
 * @param randomness which noise it starts from and adds
 * @param start the picture that it starts from; empty for noise alone
 */
public record Sampler(
        Denoiser network,
        Conditioner conditioner,
        Plan plan,
        Guidance guidance,
        Precision precision,
        ImageShape shape,
        Randomness randomness,
        Optional<Start> start) {
    /** From addressed noise alone, of the network's own size. */
    public Sampler(Denoiser network, Conditioner conditioner, Plan plan, Guidance guidance, Precision precision) {
        this(
                network,
                conditioner,
                plan,
                guidance,
                precision,
                network.spec().shape(),
                Randomness.ADDRESSED,
                Optional.empty());
    }

    /** The same with other noise. */
    public Sampler with(Randomness other) {
        return new Sampler(network, conditioner, plan, guidance, precision, shape, other, start);
    }

    /** The same with another conditioner, such as one of a negative prompt. */
    public Sampler with(Conditioner other) {
        return new Sampler(network, other, plan, guidance, precision, shape, randomness, start);
    }

    /**
     * Draws samples.
     *
     * @param prompts what each sample is to show
     * @param seed seed of all samples
     * @param indices index of each sample under the seed
     * @return (N, C, H, W) in data units, fp32, owned by the caller's scope
     */
    public Tensor sample(Prompts prompts, long seed, long[] indices) {
        return sample(prompts, seed, indices, (input, step) -> {});
    }

    /**
     * The same, watched.
     *
     * @param asked is told of every call, before it, what the network is given and at which of the plan's steps; the tensor lives
     *     during the call only
     */
    public Tensor sample(Prompts prompts, long seed, long[] indices, ObjIntConsumer<Tensor> asked) {
        return sample(prompts, seed, indices, asked, (step, x0, next) -> {});
    }

    /**
     * The same, watched after every step too.
     *
     * @param watcher is told of every step, with the clean samples predicted in it
     */
    public Tensor sample(
            Prompts prompts, long seed, long[] indices, ObjIntConsumer<Tensor> asked, PlanExecutor.Watcher watcher) {
        double[] times = plan.times();
        Start.Noise noise = noise(seed, indices);
        try (Request request = network.open(moments(), condition(prompts))) {
            Tensor first = noise.of(Purpose.SAMPLE_START, 0);
            return PlanExecutor.run(
                    List.of(start.isPresent() ? plan.fromState() : plan),
                    start.map(picture -> picture.first(plan, first, noise)).orElse(first),
                    (step, input) -> {
                        asked.accept(input, step);
                        return output(request, step, times[step], input);
                    },
                    step -> noise.of(Purpose.SAMPLE_STEP, step),
                    (step, next) -> start.map(picture -> picture.kept(plan, step, next, noise))
                            .orElse(next),
                    watcher);
        }
    }

    /**
     * Asks the network, guided as in sampling, about given states.
     *
     * @param prompts what each sample is to show
     * @param inputs what the network is given at some of the plan's steps (N, C, H, W)
     * @param answers is told of every answer and its step; the tensor lives during the call only
     */
    public void answers(Prompts prompts, Map<Integer, Tensor> inputs, ObjIntConsumer<Tensor> answers) {
        double[] times = plan.times();
        try (Scope outer = Scope.open();
                NoGrad off = NoGrad.on();
                Request request = network.open(moments(), condition(prompts))) {
            inputs.forEach((step, input) -> {
                try (Scope scope = Scope.open()) {
                    answers.accept(output(request, step, times[step], input), step);
                }
            });
        }
    }

    /** What each step tells the network; where a call lands is the time itself of a solver that does not say it. */
    public List<Moment> moments() {
        ScalarInputs told = network.spec().scalars();
        return plan.steps().stream()
                .map(Plan.Step::call)
                .map(call -> {
                    Map<Part, Double> numbers = new EnumMap<>(Part.class);
                    if (told.guidance()) {
                        numbers.put(Part.GUIDANCE, guidance.standardScaleAt(call.time()));
                    }
                    if (told.hasEndTime()) {
                        numbers.put(Part.END_TIME, Double.isNaN(call.until()) ? call.time() : call.until());
                    }
                    return new Moment(call.time(), numbers);
                })
                .toList();
    }

    /** Whether a step asks twice: with and without a condition. */
    public boolean asksTwice(double time) {
        return !network.spec().scalars().guidance() && guidance.actsAt(time);
    }

    /** Whether any step does. */
    public boolean asksTwice() {
        return Arrays.stream(plan.times()).anyMatch(this::asksTwice);
    }

    /** Of the samples and, where any step is guided, of the same without a condition behind them. */
    private Condition condition(Prompts prompts) {
        Condition asked = conditioner.of(prompts, network.device());
        return asksTwice() ? Condition.join(asked, conditioner.none(prompts.size(), network.device())) : asked;
    }

    private Tensor output(Request request, int step, double time, Tensor input) {
        try (Autocast autocast = Autocast.to(precision, network.device())) {
            return asksTwice(time)
                    ? Predictor.guided(
                            request.call(step, Ops.cat(0, input, input)),
                            guidance.standardScaleAt(time),
                            guidance.guidedChannels(Math.toIntExact(input.size(1))
                                    * network.spec().outputs()),
                            guidance.rescale())
                    : request.call(step, input);
        }
    }

    private Start.Noise noise(long seed, long[] indices) {
        Randomness.Stream numbers = randomness.open(seed, indices, shape.values());
        return (purpose, step) -> Tensors.of(
                numbers.next(purpose, step),
                network.device(),
                indices.length,
                shape.channels(),
                shape.height(),
                shape.width());
    }
}
