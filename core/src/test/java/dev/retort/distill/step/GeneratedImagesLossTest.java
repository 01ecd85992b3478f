package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.train.Loss;

class GeneratedImagesLossTest extends LossContract {
    @Override
    protected Loss loss() {
        return new GeneratedImagesLoss(simulation(), renoised(), SCHEDULE, Prediction.FLOW);
    }

    @Override
    protected String trained() {
        return "fake";
    }
}
