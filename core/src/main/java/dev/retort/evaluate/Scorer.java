package dev.retort.evaluate;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.FrechetDistance.SmallSamples;
import java.util.Locale;

/**
 * One extractor with the real images as it sees them.
 *
 * @param extractor makes the features
 * @param reference the images that others are judged against
 * @param training training images: the floor in a model's place, and what copies would be copies of
 * @param heldOut distance of each reference image to its nearest training image, rising
 * @param accuracy share of the reference images that it recognises; NaN where it is no classifier of their classes
 */
record Scorer(FeatureExtractor extractor, Reference reference, FeatureSet training, double[] heldOut, double accuracy) {
    /** Reads what the extractor finds in the real images. */
    static Scorer of(FeatureExtractor extractor, ImageSet test, ImageSet train, FeatureCache cache) {
        FeatureSpace space = extractor.space();
        test.requireMoreThan(space.dimension(), "reference");
        train.requireMoreThan(space.dimension(), "floor");
        FeatureExtractor.Extraction ofTest = cache.of(extractor, test);
        FeatureExtractor.Extraction ofTrain = cache.of(extractor, train);
        FeatureSet real = new FeatureSet(space, test.name(), FeatureMatrix.of(ofTest.features()));
        FeatureSet other = new FeatureSet(space, train.name(), FeatureMatrix.of(ofTrain.features()));
        boolean classifies = ofTest.logits().length > 0
                && ofTest.logits()[0].length == test.classNames().size();
        return new Scorer(
                extractor,
                Quality.reference(real),
                other,
                extractor.trained() ? null : Memorisation.sortedDistances(real.features(), other.features()),
                classifies
                        ? ClassAgreement.share(ClassAgreement.classes(FeatureMatrix.of(ofTest.logits())), test.labels())
                        : Double.NaN);
    }

    /** Refuses fewer samples than a covariance of its features needs. */
    static void requireEnough(int samples, FeatureSpace space) {
        if (samples <= space.dimension()) {
            throw new RetortException(
                            Kind.USAGE,
                            samples + " samples are too few for " + space.dimension() + " features of "
                                    + space.extractor() + "; take more than " + space.dimension())
                    .about("samples");
        }
    }

    boolean classifies() {
        return !Double.isNaN(accuracy);
    }

    Quality quality(String name, FeatureMatrix features) {
        return Quality.of(reference, new FeatureSet(extractor.space(), name, features), SmallSamples.REFUSE);
    }

    /** So many training images, or all there are, judged in a model's place. */
    Quality floor(int samples, long seed) {
        return Quality.floor(reference, training, Math.min(samples, training.size()), seed, SmallSamples.REFUSE);
    }

    /** Whether samples are copies; only of an extractor that nobody trained, since training images look special to others. */
    Memorisation memorisation(FeatureMatrix features) {
        return Memorisation.of(features, heldOut, training.features());
    }

    /** What it is, for the reader of a report. */
    String note() {
        FeatureSpace space = extractor.space();
        String recognises = classifies()
                ? String.format(
                        Locale.ROOT,
                        " It recognises %.2f %% of the %d real images of %s.",
                        100 * accuracy,
                        reference.real().size(),
                        reference.real().dataset())
                : "";
        String remark = extractor.remark().isEmpty() ? "" : " " + extractor.remark();
        return "Extractor " + space.extractor() + ": " + space.dimension() + " features, preprocessing "
                + space.preprocessing() + ", weights sha256 " + space.weightsSha256() + "." + remark + recognises;
    }
}
