package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.DistributionMatching;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.diffusion.step.ScoreIdentity;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Nested;

class DistributionMatchingLossTest {
    private static final String STREAM = "distribution-matching";

    /** A loss that takes what it holds fast from the pass in which it is first asked. */
    private abstract static class Held implements Loss {
        private float[] kept;

        /** What stays where it is. */
        abstract float[] keep(Pass pass, Tensor made);

        abstract Tensor perSample(Pass pass, Tensor made, float[] kept);

        @Override
        public String name() {
            return STREAM;
        }

        @Override
        public Tensor perSample(Pass pass) {
            Tensor made = LossContract.simulation().x0(pass, Gradient.PARAMETERS);
            kept = kept == null ? keep(pass, made) : kept;
            return perSample(pass, made, kept);
        }
    }

    private static Question asked(NoisyBatch noisy, Gradient gradient) {
        return new Question(noisy.noisy(), noisy.times(), noisy.condition(), gradient);
    }

    private static double weight(float[] x, float[] real, int image) {
        return DistributionMatching.weight(
                (Math.abs(x[2 * image] - real[2 * image]) + Math.abs(x[2 * image + 1] - real[2 * image + 1])) / 2);
    }

    /** The mean of made image times pull, the pull being that of the first time it is asked: computed here once more, value by value. */
    private static Loss pull(Optional<DensityWeight> density) {
        return new Held() {
            @Override
            float[] keep(Pass pass, Tensor made) {
                NoisyBatch noisy = LossContract.renoised().of(made.detach(), pass.condition(), pass, STREAM);
                float[] real = Tensors.floats(
                        pass.ask("teacher", asked(noisy, Gradient.NONE)).as(Prediction.X0));
                float[] fake = Tensors.floats(
                        pass.ask("fake", asked(noisy, Gradient.NONE)).as(Prediction.X0));
                float[] scale = new float[real.length / 2];
                Arrays.fill(scale, 1);
                float[] dense =
                        density.map(by -> Tensors.floats(by.of(pass, noisy))).orElse(scale);
                float[] x = Tensors.floats(made);
                float[] pull = new float[x.length];
                for (int i = 0; i < x.length; i++) {
                    pull[i] = (float) (dense[i / 2] * weight(x, real, i / 2) * (fake[i] - real[i]));
                }
                return pull;
            }

            @Override
            Tensor perSample(Pass pass, Tensor made, float[] pull) {
                return Ops.meanPerSample(made.mul(Tensors.of(pull, Device.CPU, Tensors.shape(made))));
            }
        };
    }

    @Nested
    class Of_the_reverse_divergence extends LossContract {
        @Override
        protected Loss loss() {
            return new DistributionMatchingLoss(simulation(), "teacher", "fake", renoised(), Optional.empty());
        }

        @Override
        protected Loss held() {
            return pull(Optional.empty());
        }
    }

    @Nested
    class Weighed_by_density extends LossContract {
        private final Optional<DensityWeight> density =
                Optional.of(new DensityWeight("critic", "levels", FDivergence.SQUARED_HELLINGER));

        @Override
        protected Loss loss() {
            return new DistributionMatchingLoss(simulation(), "teacher", "fake", renoised(), density);
        }

        @Override
        protected Loss held() {
            return pull(density);
        }
    }

    @Nested
    class What_the_levels_learn extends LossContract {
        @Override
        protected Loss loss() {
            return new DensityLevelLoss(simulation(), renoised(), "critic");
        }

        @Override
        protected String trained() {
            return "levels";
        }
    }

    @Nested
    class By_score_identity extends LossContract {
        private final ScoreIdentity identity = new ScoreIdentity(1.2);

        @Override
        protected Loss loss() {
            return new ScoreIdentityLoss(simulation(), "teacher", "fake", renoised(), identity);
        }

        /** With its weights held, and its terms as {@link ScoreIdentity} writes them. */
        @Override
        protected Loss held() {
            return new Held() {
                @Override
                float[] keep(Pass pass, Tensor made) {
                    float[] x = Tensors.floats(made);
                    float[] real = Tensors.floats(said(pass, "teacher", made));
                    float[] weights = new float[x.length / 2];
                    for (int i = 0; i < weights.length; i++) {
                        weights[i] = (float) weight(x, real, i);
                    }
                    return weights;
                }

                @Override
                Tensor perSample(Pass pass, Tensor made, float[] weights) {
                    float[] x = Tensors.floats(made);
                    float[] real = Tensors.floats(said(pass, "teacher", made));
                    float[] fake = Tensors.floats(said(pass, "fake", made));
                    float[] losses = new float[weights.length];
                    for (int i = 0; i < x.length; i++) {
                        losses[i / 2] += (float) (weights[i / 2] * identity.of(real[i], fake[i], x[i]) / 2);
                    }
                    return Tensors.of(losses, Device.CPU, losses.length);
                }
            };
        }

        private Tensor said(Pass pass, String player, Tensor made) {
            NoisyBatch noisy = renoised().of(made.detach(), pass.condition(), pass, STREAM);
            return pass.ask(player, asked(noisy, Gradient.NONE)).as(Prediction.X0);
        }
    }
}
