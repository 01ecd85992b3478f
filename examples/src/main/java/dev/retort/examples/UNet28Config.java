package dev.retort.examples;

import dev.retort.card.NetworkSpec;
import dev.retort.data.ImageSource;
import dev.retort.train.NetworkConfig;

/** What a person decides of a student that is a {@link UNet28}: nothing, it is as large as its teacher. */
public record UNet28Config() implements NetworkConfig {
    @Override
    public NetworkSpec spec(String field, ImageSource source, boolean learnSigma) {
        return new UNet28Spec(false);
    }

    @Override
    public double dropout() {
        return 0;
    }
}
