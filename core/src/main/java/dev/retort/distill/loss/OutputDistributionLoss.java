package dev.retort.distill.loss;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.GaussianPosterior;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Answer;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import dev.retort.train.Ramp;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Output distillation as a divergence of distributions (pkd.md §4 row 7): KL(q_T ‖ q_S) between the Gaussian reverse
 * transitions of teacher and student, per dimension, times the number of transitions of the chain. With fixed variances it
 * is (Δμ)²/2σ², with learned ones ½[ln(σ_S²/σ_T²) + (σ_T² + (Δμ)²)/σ_S² - 1]. The temperature multiplies both standard
 * deviations, so it divides the term of the means by its square; it may be a ramp. Continuous schedules are cut into 1000
 * transitions.
 */
public final class OutputDistributionLoss implements Loss {
    private static final int CONTINUOUS_STEPS = 1000;
    private final String teacher;
    private final NoiseSchedule schedule;
    private final Ramp temperature;

    /**
     * @param teacher name of the player that is to be met; variances are compared where both have learned them
     * @param schedule how images are noised
     * @param temperature factor on both standard deviations, above 0 all along
     */
    public OutputDistributionLoss(String teacher, NoiseSchedule schedule, Ramp temperature) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.temperature = temperature;
    }

    @Override
    public String name() {
        return "output-distribution";
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch batch = pass.noisy(pass.player());
        Answer student = pass.ask(pass.player());
        Answer teacherAnswer = pass.ask(teacher);
        int n = batch.count();
        double[] meanFromX0 = new double[n];
        double[] logVariance = new double[n];
        double[] logBeta = new double[n];
        for (int i = 0; i < n; i++) {
            GaussianPosterior step = transition(batch.times()[i]);
            meanFromX0[i] = step.meanFromX0();
            logVariance[i] = step.variance() > 0 ? Math.log(step.variance()) : clipped();
            logBeta[i] = Math.log(step.beta());
        }
        Tensor meanDifference = student.as(Prediction.X0)
                .sub(teacherAnswer.as(Prediction.X0))
                .mul(Tensors.column(meanFromX0, batch.noisy())); // (N, C, H, W)
        Tensor low = Tensors.column(logVariance, batch.noisy());
        Tensor coolness = Tensors.column(coolness(pass, batch), batch.noisy());
        Tensor kl;
        if (student.hasVariance() && teacherAnswer.hasVariance()) {
            Tensor range = Tensors.column(logBeta, batch.noisy()).sub(low);
            Tensor logS = student.variance().mul(range).add(low);
            Tensor logT = teacherAnswer.variance().mul(range).add(low);
            Tensor ratio = logT.sub(logS); // ln(σ_T²/σ_S²)
            Tensor mean = meanDifference.square().mul(logS.neg().exp()).mul(coolness);
            kl = Ops.mul(Ops.add(ratio.exp().sub(ratio).add(mean), -1), 0.5);
        } else {
            kl = Ops.mul(meanDifference.square().mul(low.neg().exp()).mul(coolness), 0.5);
        }
        return Ops.mul(Ops.meanPerSample(kl), steps());
    }

    /** 1/τ² of each image. */
    private double[] coolness(Pass pass, NoisyBatch batch) {
        double[] heat = new double[batch.count()];
        switch (temperature.over()) {
            case NOISE -> Arrays.setAll(heat, i -> temperature.at(batch.times()[i] / schedule.noisiestTime()));
            case CONFIDENCE -> {
                float[] confidence = Tensors.floats(TeacherConfidence.of(pass, teacher));
                Arrays.setAll(heat, i -> temperature.at(confidence[i]));
            }
            default -> Arrays.fill(heat, temperature.at(pass.clock()));
        }
        return Arrays.stream(heat).map(each -> 1 / (each * each)).toArray();
    }

    private int steps() {
        return schedule instanceof DiscreteSchedule table ? table.steps() : CONTINUOUS_STEPS;
    }

    /** The reverse transition that starts at a time. */
    private GaussianPosterior transition(double time) {
        double clean = schedule.cleanTime();
        double stride = schedule instanceof DiscreteSchedule ? 1 : (schedule.noisiestTime() - clean) / CONTINUOUS_STEPS;
        // The last, shorter stretch of a continuous schedule ends half way, where the posterior still has a variance.
        double next = time - stride > clean || schedule instanceof DiscreteSchedule
                ? time - stride
                : clean + (time - clean) / 2;
        return new GaussianPosterior(schedule.point(time), schedule.point(next));
    }

    /** A table's first transition lands on clean data with no variance; it is given that of the second. */
    private double clipped() {
        return Math.log(transition(schedule.cleanTime() + 2).variance());
    }
}
