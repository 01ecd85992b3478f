package dev.retort.distill.loss;

import dev.retort.diffusion.Prediction;
import dev.retort.train.Loss;

/** The teacher's output where it is sure. */
class ConfidenceMaskContractTest extends MapLossContract {
    @Override
    protected Loss loss() {
        return new ConfidenceMask(new OutputLoss("teacher", SCHEDULE, Prediction.FLOW), "teacher", 0.1, 2);
    }
}
