package dev.retort.distill.loss;

import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.train.Loss;
import java.util.List;
import java.util.Map;

/** The same, both normalised over the channels of each cell, and blocks of different grids. */
class LayerNormFeatureContractTest extends MapLossContract {
    @Override
    protected Loss loss() {
        return new FeatureLoss(
                "student",
                "teacher",
                LayerMap.of("down_blocks.0-mid_block,up_blocks.0-up_blocks.0", STUDENT.taps(), TEACHER.taps()),
                STUDENT.taps(),
                TEACHER.taps(),
                Map.of(),
                new FeatureDistance(
                        FeatureDistance.Normalise.LAYER_NORM,
                        0,
                        List.of(new FeatureDistance.Scale(1, 1), new FeatureDistance.Scale(2, 1))),
                Init.of(9, Device.CPU));
    }

    @Override
    protected boolean reaches(String parameter) {
        return !parameter.contains("conv_out");
    }
}
