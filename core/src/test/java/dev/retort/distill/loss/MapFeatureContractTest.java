package dev.retort.distill.loss;

import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.train.Loss;
import java.util.List;
import java.util.Map;

/** Features of maps at three scales through 1x1 convolutions. */
class MapFeatureContractTest extends MapLossContract {
    @Override
    protected Loss loss() {
        return new FeatureLoss(
                "student",
                "teacher",
                LayerMap.of("names", STUDENT.taps(), TEACHER.taps()),
                STUDENT.taps(),
                TEACHER.taps(),
                Map.of("mid_block", 3.0),
                new FeatureDistance(
                        FeatureDistance.Normalise.MEAN_SQUARE,
                        0,
                        List.of(
                                new FeatureDistance.Scale(1, 1),
                                new FeatureDistance.Scale(2, 0.5),
                                new FeatureDistance.Scale(4, 0.25))),
                Init.of(9, Device.CPU));
    }

    @Override
    protected boolean reaches(String parameter) {
        return !parameter.contains("conv_out");
    }
}
