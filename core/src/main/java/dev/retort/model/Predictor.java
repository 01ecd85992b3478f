package dev.retort.model;

import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Jvp;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * A denoising network with what its output means. Where a condition says a scale of guidance for each sample
 * ({@link Part#GUIDANCE}), that scale takes the place of the predictor's own; a network that is told the scale computes by it,
 * of any other the outputs with and without a condition are combined.
 *
 * @param network the network; who made this closes it
 * @param conditioner makes the condition of none for guidance; not closed
 * @param schedule how its images are noised
 * @param prediction what it returns
 * @param guidance classifier-free guidance of its output, standard form; 1 for none
 * @param precision arithmetic of the network
 */
public record Predictor(
        Network network,
        Conditioner conditioner,
        NoiseSchedule schedule,
        Prediction prediction,
        double guidance,
        Precision precision)
        implements Respondent {
    private static final double TINY = 1e-30; // no division by zero, and no other change

    /** Validates: a network that was never asked without a condition cannot be guided. */
    public Predictor {
        requireGuidable(network.spec(), guidance);
    }

    /** A network of a process, without guidance. */
    public static Predictor of(Network network, Conditioner conditioner, ProcessSpec process, Precision precision) {
        return of(network, conditioner, process, 1, precision);
    }

    /** A network of a process. */
    public static Predictor of(
            Network network, Conditioner conditioner, ProcessSpec process, double guidance, Precision precision) {
        return new Predictor(network, conditioner, process.noiseSchedule(), process.prediction(), guidance, precision);
    }

    /** The same with another network of its kind. */
    public Predictor with(Network other) {
        return new Predictor(other, conditioner, schedule, prediction, guidance, precision);
    }

    /** The same guided otherwise. */
    public Predictor withGuidance(double scale) {
        return new Predictor(network, conditioner, schedule, prediction, scale, precision);
    }

    /** Refuses, as an IllegalArgumentException, guidance of a network that was never asked without a condition. */
    public static void requireGuidable(NetworkSpec network, double guidance) {
        if (guidance != 1 && !network.guidable()) {
            throw new IllegalArgumentException(
                    "guidance is " + guidance + ", expected 1: this network was trained without label dropout");
        }
    }

    @Override
    public ImageShape images() {
        return network.spec().shape();
    }

    @Override
    public int frozenCalls(Question question, boolean learns) {
        return learns ? 0 : asksTwice(question.condition()) ? 2 : 1;
    }

    @Override
    public void recompute(boolean on) {
        network.recompute(on);
    }

    @Override
    public Answer ask(Question question, Set<String> taps) {
        Tensor tangent = question.along().map(along -> tangent(question, along)).orElse(null);
        Taps fired = Taps.of(taps);
        Tensor output = output(question, fired);
        Map<String, Tensor> features = new LinkedHashMap<>();
        for (String name : taps) {
            Tensor feature = fired.get(name);
            features.put(
                    name,
                    asksTwice(question.condition()) ? Ops.narrow(feature, 0, 0, question.times().length) : feature);
        }
        return new Answer(
                output,
                features,
                tangent,
                new Answer.Reading(
                        question.x(),
                        question.times(),
                        schedule,
                        prediction,
                        network.spec().outputs()));
    }

    private Tensor output(Question question, Taps taps) {
        Device device = network.device();
        Tensor time = Tensors.of(question.times(), device);
        if (question.gradient() != Question.Gradient.NONE) {
            try (Autocast autocast = Autocast.to(precision, device)) {
                return output(question.x(), time, question.condition(), taps);
            }
        }
        try (NoGrad off = NoGrad.on();
                Autocast autocast = Autocast.apart(precision, device)) {
            return output(question.x(), time, question.condition(), taps);
        }
    }

    private Tensor output(Tensor x, Tensor time, Condition condition, Taps taps) {
        int n = Math.toIntExact(x.size(0));
        if (!asksTwice(condition)) {
            boolean own = guidance != 1 && !condition.has(Part.GUIDANCE);
            return network.forward(x, time, own ? condition.with(Part.GUIDANCE, scales(n)) : condition, taps);
        }
        Condition none = conditioner.none(n, network.device());
        Tensor both = network.forward(Ops.cat(0, x, x), Ops.cat(0, time, time), condition.thenNone(none), taps);
        int channels = Math.toIntExact(x.size(1)) * network.spec().outputs();
        return condition.has(Part.GUIDANCE)
                ? guided(both, Ops.view(condition.get(Part.GUIDANCE), -1, 1, 1, 1), channels)
                : guided(both, guidance, channels, 0);
    }

    /** Whether guidance has to be computed from two outputs. */
    private boolean asksTwice(Condition condition) {
        return (guidance != 1 || condition != null && condition.has(Part.GUIDANCE))
                && !network.spec().scalars().guidance();
    }

    private double[] scales(int n) {
        double[] scales = new double[n];
        Arrays.fill(scales, guidance);
        return scales;
    }

    /**
     * u + g(c - u) on the first channels, the conditional output c on those behind, which carry variance and are never
     * guided.
     *
     * @param both conditional outputs, then unconditional ones u (2N, C', H, W)
     * @param scale the g
     * @param channels how many leading channels are guided
     * @param rescale how far the contrast that guidance adds is taken back ({@link Guidance#rescale})
     * @return (N, C', H, W)
     */
    public static Tensor guided(Tensor both, double scale, int channels, double rescale) {
        return guided(both, channels, (c, u) -> {
            Tensor guided = Ops.addScaled(u, Ops.sub(c, u), scale);
            return rescale == 0 ? guided : rescaled(guided, c, rescale);
        });
    }

    /** g (r std(c) / std(g) + 1 - r) for each sample. */
    private static Tensor rescaled(Tensor g, Tensor c, double r) {
        Tensor ratio = Ops.sqrt(Ops.div(variance(c), Ops.add(variance(g), TINY)));
        return Ops.mul(g, Ops.add(Ops.mul(ratio, r), 1 - r));
    }

    /** The variance of each sample's values (N, 1, 1, 1). */
    private static Tensor variance(Tensor x) {
        Tensor rows = Ops.reshape(x, x.size(0), -1);
        Tensor centred = Ops.sub(rows, Ops.mean(rows, 1, true));
        return Ops.view(Ops.meanPerSample(Ops.square(centred)), -1, 1, 1, 1);
    }

    /** The same with a scale for each sample (N, 1, 1, 1). */
    private static Tensor guided(Tensor both, Tensor scales, int channels) {
        return guided(both, channels, (c, u) -> Ops.addcmul(u, scales, Ops.sub(c, u)));
    }

    private static Tensor guided(Tensor both, int channels, BinaryOperator<Tensor> scaled) {
        Tensor[] half = Ops.chunk(both, 2, 0);
        Tensor c = Ops.narrow(half[0], 1, 0, channels);
        Tensor u = Ops.narrow(half[1], 1, 0, channels);
        Tensor g = scaled.apply(c, u);
        long all = both.size(1);
        return channels == all ? g : Ops.cat(1, g, Ops.narrow(half[0], 1, channels, all - channels));
    }

    /** Always in fp32: a difference of two outputs in bf16 would be rounding alone. */
    private Tensor tangent(Question question, Question.Tangent along) {
        Device device = network.device();
        try (NoGrad off = NoGrad.on();
                Autocast plain = Autocast.to(Precision.FP32, device)) {
            Function<Tensor[], Tensor> answer = in -> output(in[0], in[1], question.condition(), Taps.none());
            Tensor[] at = {question.x(), Tensors.of(question.times(), device)};
            Tensor[] direction = {along.x(), Tensors.of(along.times(), device)};
            return along.step() == 0
                    ? Jvp.exact(answer, at, direction)
                    : Jvp.central(answer, at, direction, along.step());
        }
    }
}
