package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;

/**
 * How an autoencoder's latents l become what a diffusion network sees: z = scale·(l - shift - mean) / std, mean and std
 * being those of the channel.
 *
 * @param scale factor common to all channels
 * @param shift offset common to all channels
 * @param mean offset of each channel; empty for none
 * @param std spread of each channel; empty for 1
 */
public record LatentScale(double scale, double shift, List<Double> mean, List<Double> std) {
    /** Validates. */
    public LatentScale {
        Require.positive("scale", scale);
        Require.that(Double.isFinite(shift), "shift", shift, "a finite number");
        Require.that(
                mean.isEmpty() || std.isEmpty() || mean.size() == std.size(),
                "std",
                std.size() + " values",
                "as many as mean has: " + mean.size());
        mean.forEach(value -> Require.that(Double.isFinite(value), "mean", value, "finite numbers"));
        std.forEach(value -> Require.positive("std", value));
        mean = List.copyOf(mean);
        std = List.copyOf(std);
    }

    /** A factor alone. */
    public static LatentScale of(double scale) {
        return new LatentScale(scale, 0, List.of(), List.of());
    }

    /** Refuses per-channel values that are not one for each channel. */
    public void requireChannels(int channels) {
        Require.that(
                mean.isEmpty() || mean.size() == channels,
                "mean",
                mean.size() + " values",
                "one for each of " + channels + " channels");
        Require.that(
                std.isEmpty() || std.size() == channels,
                "std",
                std.size() + " values",
                "one for each of " + channels + " channels");
    }

    /** a in z = a·l + b for a channel. */
    public double factor(int channel) {
        return scale / (std.isEmpty() ? 1 : std.get(channel));
    }

    /** b in z = a·l + b for a channel. */
    public double offset(int channel) {
        return -factor(channel) * (shift + (mean.isEmpty() ? 0 : mean.get(channel)));
    }
}
