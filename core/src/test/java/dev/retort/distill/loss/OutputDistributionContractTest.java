package dev.retort.distill.loss;

import dev.retort.train.Loss;
import dev.retort.train.Ramp;

/** Reverse transitions at a temperature by the teacher's confidence. */
class OutputDistributionContractTest extends MapLossContract {
    @Override
    protected Loss loss() {
        Ramp temperature = new Ramp(4, 1, Ramp.Curve.COSINE, Ramp.Span.CONFIDENCE);
        return new OutputDistributionLoss("teacher", SCHEDULE, temperature);
    }
}
