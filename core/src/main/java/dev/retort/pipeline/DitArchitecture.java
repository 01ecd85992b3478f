package dev.retort.pipeline;

import dev.retort.card.DitSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.Heads;
import dev.retort.layout.DitLayout;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Denoiser;
import dev.retort.model.FusedOutputs;
import dev.retort.model.Moment;
import dev.retort.model.Network;
import dev.retort.model.dit.Cut;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.FoldedDit;
import dev.retort.model.dit.InputScales;
import dev.retort.model.dit.Regrid;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Diffusion transformers. */
final class DitArchitecture implements Architecture<DitSpec> {
    @Override
    public Class<DitSpec> spec() {
        return DitSpec.class;
    }

    @Override
    public Network build(DitSpec spec, Init init) {
        return new Dit(spec, init);
    }

    @Override
    public DitSpec minimal(DitSpec spec) {
        return spec.minimal();
    }

    @Override
    public Map<String, long[]> parameters(DitSpec spec) {
        return DitLayout.parameters(spec);
    }

    @Override
    public Denoiser pack(DitSpec spec, WeightSource weights, Device device, Precision precision) {
        return Dit.pack(spec, weights, device, precision);
    }

    @Override
    public List<String> dividable(DitSpec spec) {
        return InputScales.layers(spec);
    }

    @Override
    public void divideInputs(DitSpec spec, Map<String, Tensor> weights, String layer, Tensor factors) {
        new InputScales(spec, false, weights).divide(layer, factors);
    }

    @Override
    public List<WeightLayout<DitSpec>> layouts() {
        return List.of(DitLayout.values());
    }

    @Override
    public Optional<Surgery> surgery() {
        return Optional.of(new DitSurgery());
    }

    private static final class DitSurgery implements Surgery {
        @Override
        public void requireCut(NetworkSpec teacher, NetworkSpec student) {
            Cut.requireFit((DitSpec) teacher, (DitSpec) student);
        }

        @Override
        public boolean cutReachesOutput(NetworkSpec teacher, NetworkSpec student) {
            return Cut.reachesOutput((DitSpec) teacher, (DitSpec) student);
        }

        @Override
        public void cut(Network teacher, Network student) {
            Cut.apply((Dit) teacher, (Dit) student);
        }

        @Override
        public Map<String, Tensor> fused(NetworkSpec network, Map<String, Tensor> weights, List<Heads> heads) {
            int patch = ((DitSpec) network).patch();
            return FusedOutputs.of(network, "final_layer.linear", patch * patch, weights, heads);
        }

        @Override
        public boolean folds() {
            return true;
        }

        @Override
        public Folded folded(Denoiser packed, Map<String, Tensor> weights, List<Moment> moments, List<Integer> labels) {
            Dit dit = (Dit) packed;
            return new Folded(
                    FoldedDit.spec(dit.spec(), moments, labels), FoldedDit.weights(dit, weights, moments, labels));
        }

        @Override
        public void regrid(Network from, Network to) {
            Regrid.copy((Dit) from, (Dit) to);
        }
    }
}
