package dev.retort.sample;

import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
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
 */
public record Sampler(Denoiser network, Conditioner conditioner, Plan plan, Guidance guidance, Precision precision) {
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
        double[] times = plan.times();
        try (Request request = network.open(moments(), condition(prompts))) {
            return PlanExecutor.run(
                    plan,
                    noise(Purpose.SAMPLE_START, 0, seed, indices),
                    (step, input) -> {
                        asked.accept(input, step);
                        return output(request, step, times[step], input);
                    },
                    step -> noise(Purpose.SAMPLE_STEP, step, seed, indices),
                    (step, x0, next) -> {});
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

    /** Where a call lands is the time itself of a solver that does not say it. */
    List<Moment> moments() {
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
    boolean asksTwice(double time) {
        return !network.spec().scalars().guidance() && guidance.actsAt(time);
    }

    /** Whether any step does. */
    boolean asksTwice() {
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
                                    * network.spec().outputs()))
                    : request.call(step, input);
        }
    }

    private Tensor noise(Purpose purpose, long step, long seed, long[] indices) {
        ImageShape shape = network.spec().shape();
        int size = shape.values();
        float[] values = new float[indices.length * size];
        for (int i = 0; i < indices.length; i++) {
            Rng.at(seed, purpose, step, indices[i]).fillGaussian(values, i * size, size);
        }
        return Tensors.of(values, network.device(), indices.length, shape.channels(), shape.height(), shape.width());
    }
}
