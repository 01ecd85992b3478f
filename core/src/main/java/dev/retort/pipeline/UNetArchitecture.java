package dev.retort.pipeline;

import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.layout.UNetFileLayout;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.unet.UNet;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** U-Nets by themselves, told states of texts that somebody else makes, or nothing. */
final class UNetArchitecture implements Architecture<UNetSpec> {
    @Override
    public Class<UNetSpec> spec() {
        return UNetSpec.class;
    }

    @Override
    public Network build(UNetSpec spec, Init init) {
        return new UNet(spec, init);
    }

    @Override
    public UNetSpec minimal(UNetSpec spec) {
        return spec.minimal();
    }

    @Override
    public Map<String, long[]> parameters(UNetSpec spec) {
        return UNetLayers.of(spec).shapes();
    }

    @Override
    public Denoiser pack(UNetSpec spec, WeightSource weights, Device device, Precision precision) {
        return UNet.pack(spec, weights, device, precision);
    }

    @Override
    public List<WeightLayout<UNetSpec>> layouts() {
        return List.of(UNetFileLayout.values());
    }

    @Override
    public Optional<Surgery> surgery() {
        return Optional.of(new UNetSurgery());
    }
}
