package dev.retort.examples;

import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architecture;

/** Mixers; found through {@code META-INF/services/dev.retort.pipeline.Architecture} by every command and process. */
public final class MixerArchitecture implements Architecture<MixerSpec> {
    @Override
    public Class<MixerSpec> spec() {
        return MixerSpec.class;
    }

    @Override
    public Network build(MixerSpec spec, Init init) {
        return new Mixer(spec, init);
    }

    @Override
    public MixerSpec minimal(MixerSpec s) {
        return new MixerSpec(s.channels(), s.height(), s.width(), 1, 1, s.classes(), s.hasNone(), s.learnSigma());
    }
}
