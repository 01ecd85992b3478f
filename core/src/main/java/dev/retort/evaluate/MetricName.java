package dev.retort.evaluate;

import java.util.Locale;

/**
 * The name under which a score may be printed: extractor and number of images are part of it, {@code FD-R20cifar@10k}.
 * The well-known names (FID, KID, IS) come out only for the weights that define them; no other way leads to them.
 */
public final class MetricName {
    /** First digits of the hash of the "inception-2015-12-05" weights, as their published file name carries them. */
    private static final String INCEPTION_2015 = "6726825d";

    private static final int INCEPTION_FEATURES = 2048;

    private final String text;

    private MetricName(String text) {
        this.text = text;
    }

    /** {@code FD-<extractor>@<n>}: Fréchet distance. */
    public static MetricName frechet(FeatureSpace space, long n) {
        return named("FD", "FID", space, n);
    }

    /** {@code KD-<extractor>@<n>}: kernel distance. */
    public static MetricName kernel(FeatureSpace space, long n) {
        return named("KD", "KID", space, n);
    }

    /** {@code CS-<extractor>@<n>}: classifier score. */
    public static MetricName classifierScore(FeatureSpace space, long n) {
        return named("CS", "IS", space, n);
    }

    /** {@code Precision-<extractor>@<n>}. */
    public static MetricName precision(FeatureSpace space, long n) {
        return named("Precision", "Precision-" + space.extractor(), space, n);
    }

    /** {@code Recall-<extractor>@<n>}. */
    public static MetricName recall(FeatureSpace space, long n) {
        return named("Recall", "Recall-" + space.extractor(), space, n);
    }

    /** {@code Density-<extractor>@<n>}. */
    public static MetricName density(FeatureSpace space, long n) {
        return named("Density", "Density-" + space.extractor(), space, n);
    }

    /** {@code Coverage-<extractor>@<n>}. */
    public static MetricName coverage(FeatureSpace space, long n) {
        return named("Coverage", "Coverage-" + space.extractor(), space, n);
    }

    private static MetricName named(String plain, String wellKnown, FeatureSpace space, long n) {
        boolean inception = space.weightsSha256().startsWith(INCEPTION_2015) && space.dimension() == INCEPTION_FEATURES;
        String lower = space.extractor().toLowerCase(Locale.ROOT);
        if (!inception && (lower.contains("fid") || lower.contains("inception"))) {
            throw new IllegalArgumentException("extractor: \"" + space.extractor() + "\" promises the FID network, but "
                    + "its weights are not those (sha256 "
                    + space.weightsSha256().substring(0, 8) + "…, expected "
                    + INCEPTION_2015 + "…)");
        }
        String images = n >= 10_000 && n % 1000 == 0 ? n / 1000 + "k" : Long.toString(n);
        return new MetricName((inception ? wellKnown : plain + "-" + space.extractor()) + "@" + images);
    }

    /** The name. */
    @Override
    public String toString() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MetricName name && name.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }
}
