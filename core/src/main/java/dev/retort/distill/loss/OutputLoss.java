package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.LossTerm;
import dev.retort.train.NoisyBatch;
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
public final class OutputLoss implements LossTerm {
    private final Teacher teacher;
    private final NoiseSchedule schedule;
    private final Prediction student;
    private final Prediction space;

    /** @param space prediction space of the difference */
    public OutputLoss(Teacher teacher, NoiseSchedule schedule, Prediction student, Prediction space) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.student = student;
        this.space = space;
    }

    @Override
    public String name() {
        return "output";
    }

    @Override
    public Tensor perSample(Tensor output, Taps taps, NoisyBatch batch) {
        NoisyBatch seen = Teacher.view(batch);
        Tensor told = teacher.answer(batch).output();
        Prediction taught = teacher.card().process().prediction();
        if (seen == batch) {
            Tensor ours = new Conversion(schedule, student, space).apply(output, batch);
            Tensor theirs = new Conversion(schedule, taught, space).apply(told, batch);
            return Ops.meanPerSample(ours.sub(theirs).square());
        }
        Tensor ours = error(student, output, batch);
        Tensor theirs = error(taught, told, seen);
        long rows = Math.min(ours.size(2), theirs.size(2));
        long cols = Math.min(ours.size(3), theirs.size(3));
        Tensor difference = Ops.adaptiveAveragePool(ours, rows, cols).sub(Ops.adaptiveAveragePool(theirs, rows, cols));
        return Ops.meanPerSample(difference.mul(ofX0(batch)).square());
    }

    private Tensor error(Prediction prediction, Tensor output, NoisyBatch batch) {
        return new Conversion(schedule, prediction, Prediction.X0)
                .apply(output, batch)
                .sub(batch.clean());
    }

    /** How much a prediction in the chosen space changes with x0, (N, 1, 1, 1). */
    private Tensor ofX0(NoisyBatch batch) {
        double[] factor = Arrays.stream(batch.times())
                .map(time -> space.fromOutput(Prediction.X0, schedule.alpha(time), schedule.sigma(time)))
                .toArray();
        return Tensors.of(factor, Device.of(batch.noisy())).view(-1, 1, 1, 1);
    }
}
