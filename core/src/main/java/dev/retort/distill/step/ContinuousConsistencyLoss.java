package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.FlowTangent;
import dev.retort.diffusion.step.Tangents;
import dev.retort.model.Answer;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Question.Tangent;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * Consistency in continuous time (Lu and Song 2024, sCM): what the student says x0 is stays the same along a path. Its F of TrigFlow is pulled along the normalised tangent g
 * ({@link FlowTangent}), mean(F - sg F - g / (‖g‖/√values + 0.1))². The path is the teacher's (sCD), or that of the image and its noise (sCT).
 */
public final class ContinuousConsistencyLoss implements Loss {
    private static final double CONSTANT = 0.1;

    private final Optional<String> teacher;
    private final NoiseSchedule schedule;
    private final TimeSampler times;
    private final double sigmaData;
    private final double warmUp;
    private final double step;

    /**
     * @param teacher name of the player that leads the path; nobody in consistency training
     * @param schedule of a flow
     * @param times at which it is asked
     * @param sigmaData standard deviation of the data
     * @param warmUp share of the stage over which the derivative comes to count
     * @param step of the derivative's central difference, as a part of the way from image to noise; 0 for the exact derivative
     */
    public ContinuousConsistencyLoss(
            Optional<String> teacher,
            NoiseSchedule schedule,
            TimeSampler times,
            double sigmaData,
            double warmUp,
            double step) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.times = times;
        this.sigmaData = sigmaData;
        this.warmUp = warmUp;
        this.step = step;
    }

    @Override
    public String name() {
        return "continuous-consistency";
    }

    @Override
    public Tensor perSample(Pass pass) {
        double[] t = pass.draws(name()).each(rng -> times.sample(schedule, rng));
        return at(pass, t, Tangents.warmUp(pass.clock().stage(), warmUp));
    }

    /** The loss at given times, the derivative counting so much. */
    Tensor at(Pass pass, double[] t, double warm) {
        NoisyBatch noisy = pass.noisy(t);
        Question question = new Question(noisy.noisy(), t, noisy.condition(), Gradient.NONE);
        Tensor velocity = teacher.map(by -> pass.ask(by, question).as(Prediction.FLOW))
                .orElseGet(() -> noisy.target(Prediction.FLOW, schedule));
        double[] faster = new double[t.length];
        Arrays.fill(faster, schedule.noisiestTime());
        Answer still = pass.ask(pass.player(), question.along(new Tangent(velocity, faster, step)));
        Tensor before = still.as(Prediction.FLOW);
        FlowTangent[] at = Arrays.stream(t)
                .mapToObj(time -> FlowTangent.at(time / schedule.noisiestTime(), sigmaData, warm))
                .toArray(FlowTangent[]::new);
        Tensor tangent = velocity.sub(before)
                .mul(column(at, FlowTangent::fromGap, before))
                .add(still.tangent().mul(column(at, FlowTangent::fromDerivative, before)));
        Tensor u = pass.ask(pass.player(), new Question(noisy.noisy(), t, noisy.condition(), Gradient.PARAMETERS))
                .as(Prediction.FLOW);
        Tensor moved = u.sub(before).mul(column(at, FlowTangent::length, before));
        return Ops.meanPerSample(moved.sub(normalised(tangent)).square());
    }

    private static Tensor normalised(Tensor tangent) {
        float[] squares = Tensors.floats(Ops.sum(Ops.flatten(tangent.square(), 1, -1), 1, false));
        long values = tangent.numel() / squares.length;
        double[] factors = new double[squares.length];
        Arrays.setAll(factors, i -> Tangents.normalised(Math.sqrt(squares[i]), values, CONSTANT));
        return tangent.mul(Tensors.column(factors, tangent));
    }

    private static Tensor column(FlowTangent[] at, ToDoubleFunction<FlowTangent> factor, Tensor like) {
        return Tensors.column(Arrays.stream(at).mapToDouble(factor).toArray(), like);
    }
}
