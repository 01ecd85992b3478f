package dev.retort.distill.step;

import dev.retort.train.Loss;

class CriticLossTest extends LossContract {
    @Override
    Loss loss() {
        return new CriticLoss(new GeneratedImages(simulation(), renoised()), 1e-3);
    }

    @Override
    String trained() {
        return "critic";
    }
}
