package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.nn.Taps;
import dev.retort.torch.Ops;
import dev.retort.train.LossTerm;
import dev.retort.train.NoisyBatch;
import org.bytedeco.pytorch.Tensor;

/** Output distillation: the mean squared difference between student and teacher in a chosen prediction space. */
public final class OutputLoss implements LossTerm {
    private final Teacher teacher;
    private final Conversion ofStudent;
    private final Conversion ofTeacher;

    /** @param space prediction space of the difference */
    public OutputLoss(Teacher teacher, NoiseSchedule schedule, Prediction student, Prediction space) {
        this.teacher = teacher;
        ofStudent = new Conversion(schedule, student, space);
        ofTeacher = new Conversion(schedule, teacher.card().process().prediction(), space);
    }

    @Override
    public String name() {
        return "output";
    }

    @Override
    public Tensor perSample(Tensor output, Taps taps, NoisyBatch batch) {
        Tensor wanted = ofTeacher.apply(teacher.answer(batch).output(), batch);
        return Ops.meanPerSample(ofStudent.apply(output, batch).sub(wanted).square());
    }
}
