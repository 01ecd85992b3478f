package dev.retort.pipeline;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.layout.TextToImageLayout;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Conditioner;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.TextConditioner;
import dev.retort.model.TextToImage;
import dev.retort.model.clip.ClipText;
import dev.retort.model.unet.UNet;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** U-Nets with their text encoders. */
final class TextToImageArchitecture implements Architecture<TextToImageSpec> {
    @Override
    public Class<TextToImageSpec> spec() {
        return TextToImageSpec.class;
    }

    @Override
    public Network build(TextToImageSpec spec, Init init) {
        List<ClipText> encoders = new ArrayList<>();
        UNet unet = new UNet(spec.unet(), init.at(TextToImageSpec.UNET));
        for (ClipTextSpec encoder : spec.encoders()) {
            encoders.add(new ClipText(encoder, init.at(TextToImageSpec.encoder(encoders.size()))));
        }
        return new TextToImage(spec, unet, encoders, init.packs());
    }

    @Override
    public TextToImageSpec minimal(TextToImageSpec spec) {
        return new TextToImageSpec(spec.unet().minimal(), spec.encoders(), spec.zeroNone());
    }

    @Override
    public Map<String, long[]> parameters(TextToImageSpec spec) {
        return TextToImageLayout.DIFFUSERS.shapes(spec);
    }

    @Override
    public Denoiser pack(TextToImageSpec spec, WeightSource weights, Device device, Precision precision) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            return build(spec, Init.packed(weights, device, precision));
        }
    }

    @Override
    public Conditioner conditioner(TextToImageSpec spec, TextCard text, ImageShape pictures) {
        text.requireFit(spec.encoders());
        return new TextConditioner(
                spec.condition(),
                text,
                pictures.height(),
                pictures.width(),
                spec.zeroNone() ? Optional.empty() : Optional.of(""));
    }

    @Override
    public List<WeightLayout<TextToImageSpec>> layouts() {
        return List.of(TextToImageLayout.values());
    }

    @Override
    public Optional<Surgery> surgery() {
        return Optional.of(new UNetSurgery());
    }
}
