package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.train.Loss;

class MadeImagesLossTest extends LossContract {
    @Override
    Loss loss() {
        return new MadeImagesLoss(simulation(), renoised(), SCHEDULE, Prediction.FLOW);
    }

    @Override
    String trained() {
        return "fake";
    }
}
