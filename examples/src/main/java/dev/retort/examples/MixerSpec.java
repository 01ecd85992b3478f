package dev.retort.examples;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TapPoint;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a {@link Mixer} is; a model's card names it by its class.
 *
 * @param channels image channels
 * @param height image height, a multiple of {@link #PATCH}
 * @param width image width, likewise
 * @param inside values of a token
 * @param depth blocks
 * @param classes number of classes
 * @param hasNone whether it can be asked without a class
 * @param learnSigma whether variance channels are predicted as well
 */
public record MixerSpec(
        int channels, int height, int width, int inside, int depth, int classes, boolean hasNone, boolean learnSigma)
        implements NetworkSpec {
    static final int PATCH = 4;

    /** Validates. */
    public MixerSpec {
        if (height % PATCH != 0 || width % PATCH != 0) {
            throw new IllegalArgumentException(
                    "images are " + height + "x" + width + ", expected multiples of " + PATCH);
        }
    }

    int tokens() {
        return height / PATCH * (width / PATCH);
    }

    int valuesOfToken() {
        return PATCH * PATCH * channels * (learnSigma ? 2 : 1);
    }

    @Override
    public String name() {
        return "Mixer-" + depth + "x" + inside;
    }

    @Override
    public ConditionSpec condition() {
        return ConditionSpec.ofClasses(classes, hasNone);
    }

    @Override
    public long parameters() {
        long d = inside;
        long t = tokens();
        long block = 4 * t * t + 3 * t + 8 * d * d + 5 * d;
        long condition = 2 * d + (d + 1) * d + d * (classes + (hasNone ? 1 : 0));
        return (PATCH * PATCH * channels + 1) * d + condition + depth * block + (d + 1) * valuesOfToken();
    }

    @Override
    public long macs() {
        long d = inside;
        long t = tokens();
        long block = 4 * t * t * d + 8 * t * d * d;
        return t * PATCH * PATCH * channels * d + d + d * d + depth * block + t * d * valuesOfToken();
    }

    @Override
    public List<TapPoint> taps() {
        return IntStream.range(0, depth)
                .mapToObj(i -> new TapPoint("blocks." + i, inside, height / PATCH, width / PATCH, TapPoint.Form.TOKENS))
                .toList();
    }
}
