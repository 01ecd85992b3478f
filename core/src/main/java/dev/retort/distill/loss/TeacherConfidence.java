package dev.retort.distill.loss;

import dev.retort.diffusion.Prediction;
import dev.retort.model.Question;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * How sure a teacher is of an image at its time: how well the clean images agree that it predicts from the image with two noises.
 * The measure is Lin's concordance correlation coefficient (Lin 1989) over the values of an image,
 * 2·cov(a, b) / (var(a) + var(b) + (mean(a) - mean(b))²), and 0 where it is below: 1 where both predictions are one picture, 0 where
 * they have nothing in common.
 */
final class TeacherConfidence {
    /** Keeps two predictions of one even grey from dividing 0 by 0. */
    private static final double TINY = 1e-8;

    private TeacherConfidence() {}

    /** The confidence of a player in each image (N), without graph; computed once for a pass. */
    static Tensor of(Pass pass, String teacher) {
        return pass.once("confidence of " + teacher, () -> {
            NoisyBatch usual = pass.noisy(teacher);
            long[] shape = Tensors.shape(usual.clean());
            Tensor noise = pass.draws("agreement").gaussian(shape[1], shape[2], shape[3]);
            NoisyBatch other =
                    NoisyBatch.of(usual.clean(), noise, usual.times(), usual.alpha(), usual.sigma(), usual.condition());
            Question again = new Question(other.noisy(), other.times(), other.condition(), Question.Gradient.NONE);
            return concordance(
                    pass.ask(teacher).as(Prediction.X0),
                    pass.ask(teacher, again).as(Prediction.X0));
        });
    }

    private static Tensor concordance(Tensor a, Tensor b) {
        Tensor x = Ops.reshape(a, a.size(0), -1);
        Tensor y = Ops.reshape(b, b.size(0), -1);
        Tensor meanX = Ops.mean(x, 1, true);
        Tensor meanY = Ops.mean(y, 1, true);
        Tensor fromX = x.sub(meanX);
        Tensor fromY = y.sub(meanY);
        Tensor together = Ops.mul(Ops.meanPerSample(fromX.mul(fromY)), 2);
        Tensor apart = Ops.meanPerSample(fromX.square())
                .add(Ops.meanPerSample(fromY.square()))
                .add(Ops.meanPerSample(meanX.sub(meanY).square()));
        return Ops.clamp(together.div(Ops.add(apart, TINY)), 0, 1);
    }
}
