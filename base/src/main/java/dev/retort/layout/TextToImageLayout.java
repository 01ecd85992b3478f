package dev.retort.layout;

import dev.retort.card.ModelCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The layouts of pipelines of the Stable Diffusion family, whose U-Net and text encoders are one network here. */
public enum TextToImageLayout implements WeightLayout<TextToImageSpec> {
    /** A folder of the diffusers library: {@code unet}, {@code text_encoder}, {@code tokenizer} and so on. */
    DIFFUSERS {
        @Override
        public boolean isFolder() {
            return true;
        }

        @Override
        public List<Part> parts(TextToImageSpec spec) {
            List<Part> parts = new ArrayList<>(prefixed(UNetFileLayout.DIFFUSERS.parts(spec.unet()), UNET));
            for (int i = 0; i < spec.encoders().size(); i++) {
                List<Part> encoder = new ArrayList<>();
                ClipTextLayout.parameters(spec.encoders().get(i))
                        .forEach((name, shape) -> encoder.add(Part.whole(name, name, shape)));
                parts.addAll(prefixed(encoder, TextToImageSpec.encoder(i) + "."));
            }
            return parts;
        }

        @Override
        public void requireReplaceable(Path to) {
            UNetExport.requireReplaceable(to, true);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return UNetExport.pipeline(to, card, parameters, how);
        }
    },
    /** One file in the layout of the original program, with whatever of its parts are there. */
    ORIGINAL {
        @Override
        public boolean isFolder() {
            return false;
        }

        @Override
        public List<Part> parts(TextToImageSpec spec) {
            return OriginalUNet.parts(spec.unet()).stream()
                    .map(part -> Part.whole(part.key(), UNET + part.parameter(), part.shape()))
                    .toList();
        }

        @Override
        public boolean has(TextToImageSpec spec) {
            return OriginalUNet.refusal(spec.unet()).isEmpty();
        }

        @Override
        public void requireReplaceable(Path to) {
            ConvertedWeights.requireFile(to);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return UNetExport.pipelineFile(to, card, parameters, how);
        }
    };

    private static final String UNET = TextToImageSpec.UNET + ".";

    private static List<Part> prefixed(List<Part> parts, String prefix) {
        return parts.stream()
                .map(part -> new Part(prefix + part.key(), prefix + part.parameter(), part.firstRow(), part.shape()))
                .toList();
    }

    @Override
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean claims(Path path) {
        return UNetCheckpoint.claims(path) && UNetCheckpoint.isPipeline(path);
    }

    @Override
    public Checkpoint open(Path path, Hints hints) {
        return UNetCheckpoint.pipeline(path, hints);
    }
}
