package dev.retort.distill.loss;

import dev.retort.card.DitSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.distill.step.LossContract;
import dev.retort.model.Condition;
import dev.retort.model.LayerMap;
import dev.retort.model.Network;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;

/** Features of transformers' tokens at two scales, the teacher's twice as fine and wider. */
class TokenFeatureContractTest extends LossContract {
    private static final DitSpec STUDENT = spec(4, 8);
    private static final DitSpec TEACHER = spec(2, 12);

    private static DitSpec spec(int patch, int hidden) {
        return new DitSpec(8, 8, 2, patch, hidden, 2, 2, 2, 3, 0.1, false, false);
    }

    /** A transformer of random weights in all layers. */
    private static final class Whole extends Network {
        private final Dit dit;
        private final BooleanSupplier broken;

        Whole(DitSpec spec, long seed, BooleanSupplier broken) {
            this.broken = broken;
            dit = child("dit", new Dit(spec, Init.of(seed, Device.CPU)));
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                long place = 0;
                for (Tensor parameter : dit.parameters().values()) {
                    float[] values = new float[Math.toIntExact(parameter.numel())];
                    Rng.at(seed, Purpose.INIT, place++, 0).fillGaussian(values);
                    Tensor random = Tensors.of(values, Device.CPU, Tensors.shape(parameter));
                    parameter.copy_(Ops.mul(random, 0.3));
                }
            }
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            return dit.forward(broken.getAsBoolean() ? Ops.mul(x, Double.NaN) : x, time, condition, taps);
        }

        @Override
        public NetworkSpec spec() {
            return dit.spec();
        }

        @Override
        public void recompute(boolean on) {}
    }

    @Override
    protected Network network(long seed, int outputs, BooleanSupplier broken) {
        return new Whole(seed == 1 ? STUDENT : TEACHER, seed, broken);
    }

    @Override
    protected Loss loss() {
        return new FeatureLoss(
                "student",
                "teacher",
                LayerMap.of("uniform", STUDENT.taps(), TEACHER.taps()),
                STUDENT.taps(),
                TEACHER.taps(),
                Map.of("blocks.1", 2.0),
                new FeatureDistance(
                        FeatureDistance.Normalise.MEAN_SQUARE,
                        0,
                        List.of(new FeatureDistance.Scale(1, 1), new FeatureDistance.Scale(2, 1))),
                Init.of(9, Device.CPU));
    }

    @Override
    protected boolean reaches(String parameter) {
        return !parameter.contains("final_layer");
    }
}
