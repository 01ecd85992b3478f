package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.nn.Taps;
import dev.retort.torch.Ops;
import dev.retort.train.LossTerm;
import dev.retort.train.NoisyBatch;
import org.bytedeco.pytorch.Tensor;

/**
 * Output distillation: the mean squared difference between student and teacher in a chosen prediction space. Where they
 * work at different sizes, the images x0 that they predict are averaged to the coarser grid and compared there in the
 * chosen space.
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
        if (seen != batch) {
            NoisyBatch coarser = ours.size(2) < theirs.size(2) ? batch : seen;
            ours = of(coarser, ours);
            theirs = of(coarser, theirs);
        }
        return Ops.meanPerSample(ours.sub(theirs).square());
    }

    /** The chosen prediction that an image x0, averaged to the grid of {@code coarser}, means there. */
    private Tensor of(NoisyBatch coarser, Tensor x0) {
        Tensor noisy = coarser.noisy();
        Tensor pooled = Ops.adaptiveAveragePool(x0, noisy.size(2), noisy.size(3));
        return new Conversion(schedule, Prediction.X0, space).apply(pooled, coarser);
    }
}
