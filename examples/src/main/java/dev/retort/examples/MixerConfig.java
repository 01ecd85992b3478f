package dev.retort.examples;

import dev.retort.card.NetworkSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.train.NetworkConfig;

/**
 * What a person decides of a {@link Mixer}; a configuration names it by {@code type: dev.retort.examples.MixerConfig}.
 *
 * @param width values of a token
 * @param depth blocks
 * @param dropout share of labels dropped in training
 */
public record MixerConfig(int width, int depth, double dropout) implements NetworkConfig {
    /** Validates. */
    public MixerConfig {
        Require.atLeast("width", width, 1);
        Require.atLeast("depth", depth, 1);
        Require.between("dropout", dropout, 0, 0.99);
    }

    @Override
    public NetworkSpec spec(String field, ImageSource source, boolean learnSigma) {
        int classes = source.classNames().size();
        return new MixerSpec(
                source.channels(), source.height(), source.width(), width, depth, classes, dropout > 0, learnSigma);
    }
}
