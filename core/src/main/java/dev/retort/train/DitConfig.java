package dev.retort.train;

import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.model.dit.DitSizes;
import dev.retort.model.dit.DitSpec;

/**
 * The network of a run; image size, channels and classes come from the data.
 *
 * @param size a named size such as {@code S/2}, or {@code DEPTHxHIDDENxHEADS/PATCH} such as {@code 8x256x4/4}
 * @param mlpRatio hidden width of the MLP over that of a token
 * @param classDropout share of labels dropped in training; 0 builds no null class and allows no guidance
 * @param modern SwiGLU, RMSNorm and RoPE
 */
public record DitConfig(String size, double mlpRatio, double classDropout, boolean modern) {
    /** Validates. */
    public DitConfig {
        DitSizes.parse(size);
        Require.positive("mlpRatio", mlpRatio);
        Require.between("classDropout", classDropout, 0, 0.99);
    }

    /** The network for images like the source's. */
    public DitSpec spec(ImageSource source, boolean learnSigma) {
        DitSizes.Size s = DitSizes.parse(size);
        return new DitSpec(
                source.height(),
                source.width(),
                source.channels(),
                s.patch(),
                s.hidden(),
                s.depth(),
                s.heads(),
                mlpRatio,
                source.classNames().size(),
                classDropout,
                learnSigma,
                modern);
    }
}
