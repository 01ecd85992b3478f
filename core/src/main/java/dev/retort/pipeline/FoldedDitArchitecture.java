package dev.retort.pipeline;

import dev.retort.card.DitSpec;
import dev.retort.card.FoldedDitSpec;
import dev.retort.layout.DitLayout;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.dit.FoldedDit;
import dev.retort.model.dit.InputScales;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Diffusion transformers with a table of modulations, for sampling alone. */
final class FoldedDitArchitecture implements Architecture<FoldedDitSpec> {
    @Override
    public Class<FoldedDitSpec> spec() {
        return FoldedDitSpec.class;
    }

    @Override
    public Network build(FoldedDitSpec spec, Init init) {
        throw Architectures.folded(spec);
    }

    @Override
    public DitSpec minimal(FoldedDitSpec spec) {
        return spec.unfolded().minimal();
    }

    @Override
    public Map<String, long[]> parameters(FoldedDitSpec spec) {
        return DitLayout.parameters(spec);
    }

    @Override
    public Denoiser pack(FoldedDitSpec spec, WeightSource weights, Device device, Precision precision) {
        return FoldedDit.pack(spec, weights, device, precision);
    }

    @Override
    public List<String> dividable(FoldedDitSpec spec) {
        return InputScales.layers(spec.unfolded());
    }

    @Override
    public void divideInputs(FoldedDitSpec spec, Map<String, Tensor> weights, String layer, Tensor factors) {
        new InputScales(spec.unfolded(), true, weights).divide(layer, factors);
    }
}
