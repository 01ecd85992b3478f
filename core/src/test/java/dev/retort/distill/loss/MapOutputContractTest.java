package dev.retort.distill.loss;

import dev.retort.diffusion.Prediction;
import dev.retort.train.Loss;

/** The teacher's output, in another prediction than the networks'. */
class MapOutputContractTest extends MapLossContract {
    @Override
    protected Loss loss() {
        return new OutputLoss("teacher", SCHEDULE, Prediction.V);
    }
}
