package dev.retort.distill.step;

import dev.retort.diffusion.step.DensityRatios;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * How much more an image counts in distribution matching where the data are denser than the student's images (Xu et al. 2025, f-distill): the divergence's h of
 * r = p_data / p_student, which is what a critic's logit says, over its mean at that time.
 *
 * @param critic name of the player that tells real images from made ones
 * @param levels name of the player that knows the mean ratio, a {@link DensityLevels}
 * @param divergence whose weight is meant
 */
public record DensityWeight(String critic, String levels, FDivergence divergence) {
    private static final double LOWEST = 0.1;
    private static final double HIGHEST = 20;

    /** Weights (N, 1, 1, 1), 1 where both are equally dense. */
    Tensor of(Pass pass, NoisyBatch noisy) {
        double[] weights = ratios(pass, critic, noisy);
        float[] means = Tensors.floats(pass.ask(levels, question(noisy)).output());
        Arrays.setAll(weights, i -> divergence.relative(DensityRatios.level(weights[i], means[i])));
        return Tensors.column(weights, noisy.noisy());
    }

    /** The ratio at each image, as a critic says. */
    static double[] ratios(Pass pass, String critic, NoisyBatch noisy) {
        float[] logits = Tensors.floats(pass.ask(critic, question(noisy)).output());
        double[] ratios = new double[noisy.count()];
        int each = logits.length / ratios.length;
        for (int i = 0; i < ratios.length; i++) {
            double[] own = new double[each];
            for (int k = 0; k < each; k++) {
                own[k] = logits[i * each + k];
            }
            ratios[i] = DensityRatios.ratio(own, LOWEST, HIGHEST);
        }
        return ratios;
    }

    private static Question question(NoisyBatch noisy) {
        return new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.NONE);
    }
}
