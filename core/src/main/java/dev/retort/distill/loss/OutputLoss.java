package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Answer;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Output distillation: the mean squared difference between student and teacher in a chosen prediction space.
 *
 * <p>Where they work at different sizes, what each errs by is compared: the image x0 that it predicts less the clean image of
 * its own size, averaged to the coarser grid. Predictions themselves differ there even between perfect networks, since a
 * smaller picture, and more so its latents, is no exact average of the larger; at little noise that would outweigh all
 * else. At one size the clean image cancels, so both are one loss: predictions of one noisy image differ by a multiple of
 * their x0, and with that of the student's noise the difference is weighted.
 */
public final class OutputLoss implements Loss {
    private final String teacher;
    private final NoiseSchedule schedule;
    private final Prediction space;

    /**
     * @param teacher name of the player that is to be met
     * @param schedule how images are noised
     * @param space prediction space of the difference
     */
    public OutputLoss(String teacher, NoiseSchedule schedule, Prediction space) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.space = space;
    }

    @Override
    public String name() {
        return "output";
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch studentBatch = pass.noisy(pass.player());
        NoisyBatch teacherBatch = pass.noisy(teacher);
        Answer studentAnswer = pass.ask(pass.player());
        Answer teacherAnswer = pass.ask(teacher);
        if (studentBatch == teacherBatch) {
            return Ops.meanPerSample(
                    studentAnswer.as(space).sub(teacherAnswer.as(space)).square());
        }
        Tensor s = studentAnswer.as(Prediction.X0).sub(studentBatch.clean());
        Tensor t = teacherAnswer.as(Prediction.X0).sub(teacherBatch.clean());
        long rows = Math.min(s.size(2), t.size(2));
        long cols = Math.min(s.size(3), t.size(3));
        Tensor difference = Ops.adaptiveAveragePool(s, rows, cols).sub(Ops.adaptiveAveragePool(t, rows, cols));
        return Ops.meanPerSample(difference.mul(ofX0(studentBatch)).square());
    }

    /** How much a prediction in the chosen space changes with x0, (N, 1, 1, 1). */
    private Tensor ofX0(NoisyBatch batch) {
        double[] factor = Arrays.stream(batch.times())
                .map(time -> space.fromOutput(Prediction.X0, schedule.alpha(time), schedule.sigma(time)))
                .toArray();
        return Tensors.column(factor, batch.noisy());
    }
}
