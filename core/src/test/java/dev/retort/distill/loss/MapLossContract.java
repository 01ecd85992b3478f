package dev.retort.distill.loss;

import dev.retort.distill.step.LossContract;
import dev.retort.model.Network;
import java.util.function.BooleanSupplier;

/** What every loss has to keep, between networks whose blocks hand out maps, the teacher's wider. */
abstract class MapLossContract extends LossContract {
    static final MapNetwork.Spec STUDENT = new MapNetwork.Spec(6);
    static final MapNetwork.Spec TEACHER = new MapNetwork.Spec(8);

    @Override
    protected Network network(long seed, int outputs, BooleanSupplier broken) {
        return new MapNetwork(seed == 1 ? STUDENT : TEACHER, seed, broken);
    }
}
