package dev.retort.examples;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TapPoint;
import java.util.List;

/**
 * What a {@link UNet28} is; a model's card names it by its class.
 *
 * @param ofNoise whether its last layer says the noise, as the published one does, and v is made of that with the picture cut
 *     to [-1, 1]; else it says v itself
 */
public record UNet28Spec(boolean ofNoise) implements NetworkSpec {
    @Override
    public String name() {
        return ofNoise ? "UNet-28 of noise" : "UNet-28";
    }

    @Override
    public int channels() {
        return 1;
    }

    @Override
    public int height() {
        return UNet28.SIDE;
    }

    @Override
    public int width() {
        return UNet28.SIDE;
    }

    @Override
    public ConditionSpec condition() {
        return ConditionSpec.none();
    }

    @Override
    public boolean learnSigma() {
        return false;
    }

    /** As the graph of a network of one size has them. */
    @Override
    public long parameters() {
        return 491_172;
    }

    /** Likewise, zeros between pixels included. */
    @Override
    public long macs() {
        return 27_587_521;
    }

    @Override
    public List<TapPoint> taps() {
        return List.of(new TapPoint("b_mid", 40, 3, 3, TapPoint.Form.MAP));
    }
}
