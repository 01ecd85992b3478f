package dev.retort.train;

import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Map;

/**
 * A diffusion transformer.
 *
 * @param size a named size such as {@code S/2}, or {@code DEPTHxHIDDENxHEADS/PATCH} such as {@code 8x256x4/4}
 * @param mlpRatio hidden width of the MLP over that of a token
 * @param classDropout share of labels dropped in training; 0 builds no null class and allows no guidance
 * @param modern SwiGLU, RMSNorm and RoPE
 */
public record DitConfig(String size, double mlpRatio, double classDropout, boolean modern) implements NetworkConfig {
    /** Validates. */
    public DitConfig {
        DitSizes.Size s = DitSizes.parse(size);
        Require.positive("mlpRatio", mlpRatio);
        Require.between("classDropout", classDropout, 0, 0.99);
        try {
            DitSpec least = spec(s, s.patch(), s.patch(), 1, 1, mlpRatio, classDropout, false, modern);
            Require.that(least.mlpHidden() >= 1, "mlpRatio", mlpRatio, "at least one hidden value in the MLP");
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "size is " + size + ", whose " + e.getMessage(), e);
        }
    }

    /** What a configuration may leave out: all but the size. */
    public static Map<String, ?> defaults() {
        return Map.of("mlpRatio", 4, "classDropout", 0.1, "modern", false);
    }

    @Override
    public double dropout() {
        return classDropout;
    }

    @Override
    public DitSpec spec(String field, ImageSource source, boolean learnSigma) {
        DitSizes.Size s = DitSizes.parse(size);
        if (source.height() % s.patch() != 0 || source.width() % s.patch() != 0) {
            throw new RetortException(
                    Kind.CONFIG,
                    field + ".size is " + size + ", so images are cut into patches of " + s.patch() + "x" + s.patch()
                            + ", but those of " + source.name() + " are " + source.height() + "x" + source.width()
                            + "; set run.data.size to a multiple of " + s.patch() + ", or choose another patch in "
                            + field + ".size");
        }
        return spec(
                s,
                source.height(),
                source.width(),
                source.channels(),
                source.classNames().size(),
                mlpRatio,
                classDropout,
                learnSigma,
                modern);
    }

    private static DitSpec spec(
            DitSizes.Size s,
            int height,
            int width,
            int channels,
            int classes,
            double mlpRatio,
            double classDropout,
            boolean learnSigma,
            boolean modern) {
        return new DitSpec(
                height,
                width,
                channels,
                s.patch(),
                s.hidden(),
                s.depth(),
                s.heads(),
                mlpRatio,
                classes,
                classDropout,
                learnSigma,
                modern);
    }
}
