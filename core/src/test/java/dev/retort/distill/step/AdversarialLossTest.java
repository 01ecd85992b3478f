package dev.retort.distill.step;

import dev.retort.train.Loss;

class AdversarialLossTest extends LossContract {
    @Override
    protected Loss loss() {
        return new AdversarialLoss(new GeneratedImages(simulation(), renoised()), "critic");
    }
}
