package dev.retort.examples;

import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.Heads;
import dev.retort.model.Denoiser;
import dev.retort.model.Moment;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architecture;
import dev.retort.pipeline.Surgery;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Networks of {@link UNet28}; its surgery copies: a student begins as its teacher, and learns to say v. */
public final class UNet28Architecture implements Architecture<UNet28Spec>, Surgery {
    @Override
    public Class<UNet28Spec> spec() {
        return UNet28Spec.class;
    }

    @Override
    public Network build(UNet28Spec spec, Init init) {
        return new UNet28(spec, init);
    }

    /** There is no smaller one. */
    @Override
    public UNet28Spec minimal(UNet28Spec spec) {
        return spec;
    }

    @Override
    public Optional<Surgery> surgery() {
        return Optional.of(this);
    }

    @Override
    public void requireCut(NetworkSpec teacher, NetworkSpec student) {
        // all have the same weights
    }

    @Override
    public boolean cutReachesOutput(NetworkSpec teacher, NetworkSpec student) {
        return true;
    }

    @Override
    public void cut(Network teacher, Network student) {
        regrid(teacher, student);
    }

    @Override
    public void regrid(Network from, Network to) {
        to.load(from.state());
    }

    @Override
    public Map<String, Tensor> fused(NetworkSpec network, Map<String, Tensor> weights, List<Heads> heads) {
        throw new IllegalArgumentException(network.name() + " has one output and nothing to fuse");
    }

    @Override
    public Folded folded(Denoiser packed, Map<String, Tensor> weights, List<Moment> moments, List<Integer> labels) {
        throw new IllegalArgumentException(
                packed.spec().name() + " computes its maps from the time, which no table replaces");
    }
}
