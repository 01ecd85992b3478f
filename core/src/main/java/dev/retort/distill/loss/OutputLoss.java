package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.LossTerm;
import dev.retort.train.NoisyBatch;
import org.bytedeco.pytorch.Tensor;

/**
 * Output distillation: the mean squared difference between student and teacher in a chosen prediction space. Where they
 * work at different sizes, the images x0 that they predict are averaged to the coarser grid, and the difference there
 * counts as much as it would in the chosen space: predictions of one noisy image differ by a multiple of their x0.
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
        Prediction compared = seen == batch ? space : Prediction.X0;
        Tensor ours = new Conversion(schedule, student, compared).apply(output, batch);
        Tensor theirs = new Conversion(schedule, teacher.card().process().prediction(), compared)
                .apply(teacher.answer(batch).output(), seen);
        if (seen == batch) {
            return Ops.meanPerSample(ours.sub(theirs).square());
        }
        long rows = Math.min(ours.size(2), theirs.size(2));
        long cols = Math.min(ours.size(3), theirs.size(3));
        Tensor difference = Ops.adaptiveAveragePool(ours, rows, cols).sub(Ops.adaptiveAveragePool(theirs, rows, cols));
        return Ops.meanPerSample(difference.mul(ofX0(batch)).square());
    }

    /** How much a prediction in the chosen space changes with x0, (N, 1, 1, 1). */
    private Tensor ofX0(NoisyBatch batch) {
        double[] factor = new double[batch.count()];
        for (int i = 0; i < factor.length; i++) {
            double time = batch.times()[i];
            factor[i] = space.fromOutput(Prediction.X0, schedule.alpha(time), schedule.sigma(time));
        }
        return Tensors.of(factor, Device.of(batch.noisy())).view(-1, 1, 1, 1);
    }
}
