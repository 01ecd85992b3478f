package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.DistributionMatching;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

class DistributionMatchingLossTest extends LossContract {
    @Override
    Loss loss() {
        return new DistributionMatchingLoss(simulation(), "teacher", "fake", renoised());
    }

    /** The mean of made image times pull, the pull being that of the first time it is asked: computed here once more, value by value. */
    @Override
    Loss held() {
        return new Loss() {
            private float[] pull;

            @Override
            public String name() {
                return "distribution-matching";
            }

            @Override
            public Tensor perSample(Pass pass) {
                Tensor made = simulation().x0(pass, Gradient.PARAMETERS);
                pull = pull == null ? pull(pass, made) : pull;
                return Ops.meanPerSample(made.mul(Tensors.of(pull, Device.CPU, Tensors.shape(made))));
            }
        };
    }

    private float[] pull(Pass pass, Tensor made) {
        NoisyBatch noisy = renoised().of(made.detach(), pass.condition(), pass, "distribution-matching");
        Question question = new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.NONE);
        float[] real = Tensors.floats(pass.ask("teacher", question).as(Prediction.X0));
        float[] fake = Tensors.floats(pass.ask("fake", question).as(Prediction.X0));
        float[] x = Tensors.floats(made);
        float[] pull = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            int first = i - i % 2;
            double distance = (Math.abs(x[first] - real[first]) + Math.abs(x[first + 1] - real[first + 1])) / 2;
            pull[i] = (float) (DistributionMatching.weight(distance) * (fake[i] - real[i]));
        }
        return pull;
    }
}
