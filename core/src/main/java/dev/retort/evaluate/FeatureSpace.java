package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.util.regex.Pattern;

/**
 * What features are features of. Numbers are comparable only within one space, so every matrix and statistic carries it.
 *
 * @param extractor short name of the network, as it stands in names of metrics: {@code R20cifar}
 * @param weightsSha256 hash of the weights file, lower-case hexadecimal
 * @param preprocessing what was done to the uint8 images before the network: {@code rgb/255, imagenet mean and std}
 * @param dimension length of a feature vector
 */
public record FeatureSpace(String extractor, String weightsSha256, String preprocessing, int dimension) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]*");
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

    /** Checks the name, the hash and the dimension. */
    public FeatureSpace {
        if (!NAME.matcher(extractor).matches()) {
            throw new IllegalArgumentException("extractor: \"" + extractor + "\", expected letters, digits and ._+-");
        }
        if (!HASH.matcher(weightsSha256).matches()) {
            throw new IllegalArgumentException(
                    "weightsSha256: \"" + weightsSha256 + "\", expected 64 lower-case hexadecimal digits");
        }
        if (dimension < 1) {
            throw new IllegalArgumentException("dimension: " + dimension + ", expected at least 1");
        }
    }

    /**
     * Refuses two spaces whose numbers cannot be compared.
     *
     * @throws RetortException naming the first thing that differs
     */
    public void requireSame(FeatureSpace other) {
        requireSame("extractor", extractor, other.extractor);
        requireSame("weights", weightsSha256, other.weightsSha256);
        requireSame("preprocessing", preprocessing, other.preprocessing);
        requireSame("dimension", dimension, other.dimension);
    }

    private static void requireSame(String what, Object mine, Object theirs) {
        if (!mine.equals(theirs)) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "These features cannot be compared: their " + what + " differ (" + mine + " and " + theirs
                            + "); extract both sides with the same extractor.");
        }
    }
}
