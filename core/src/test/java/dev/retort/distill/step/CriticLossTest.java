package dev.retort.distill.step;

import dev.retort.train.Loss;

class CriticLossTest extends LossContract {
    @Override
    protected Loss loss() {
        return new CriticLoss(new GeneratedImages(simulation(), renoised()), 1e-3);
    }

    @Override
    protected String trained() {
        return "critic";
    }
}
