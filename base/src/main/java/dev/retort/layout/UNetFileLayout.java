package dev.retort.layout;

import dev.retort.card.ModelCard;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The layouts of a U-Net of the Stable Diffusion family by itself. */
public enum UNetFileLayout implements WeightLayout<UNetSpec> {
    /** A folder of the diffusers library, whose keys are ours too: {@code config.json} and weights. */
    DIFFUSERS {
        @Override
        public boolean isFolder() {
            return true;
        }

        @Override
        public List<Part> parts(UNetSpec spec) {
            List<Part> parts = new ArrayList<>();
            UNetLayers.of(spec).shapes().forEach((name, shape) -> parts.add(Part.whole(name, name, shape)));
            return parts;
        }

        @Override
        public void requireReplaceable(Path to) {
            UNetExport.requireReplaceable(to, false);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return UNetExport.unet(to, card, parameters, how);
        }
    },
    /** One file in the layout of the original program. */
    ORIGINAL {
        @Override
        public boolean isFolder() {
            return false;
        }

        @Override
        public List<Part> parts(UNetSpec spec) {
            return OriginalUNet.parts(spec);
        }

        @Override
        public boolean has(UNetSpec spec) {
            return OriginalUNet.refusal(spec).isEmpty();
        }

        @Override
        public void requireReplaceable(Path to) {
            ConvertedWeights.requireFile(to);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return UNetExport.unetFile(to, card, parameters, how);
        }
    };

    @Override
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean claims(Path path) {
        return UNetCheckpoint.claims(path) && !UNetCheckpoint.isPipeline(path);
    }

    @Override
    public Checkpoint open(Path path, Hints hints) {
        return UNetCheckpoint.unet(path, hints);
    }
}
