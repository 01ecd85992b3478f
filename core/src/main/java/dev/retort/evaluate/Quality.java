package dev.retort.evaluate;

import dev.retort.evaluate.FrechetDistance.SmallSamples;
import dev.retort.report.Measure;
import dev.retort.report.Measure.Better;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How near one set of images is to another in a feature space: every score that features alone give.
 *
 * @param space what the features are
 * @param realImages number of real images
 * @param images number of images judged: the n in the names of the scores
 * @param frechet Fréchet distance
 * @param kernel unbiased kernel distance on all images
 * @param neighbours precision, recall, density, coverage
 */
public record Quality(
        FeatureSpace space,
        int realImages,
        int images,
        FrechetDistance frechet,
        double kernel,
        PrecisionRecall neighbours) {
    private static final int NEIGHBOURS = 3;

    /** Judges images against real ones of the same feature space. */
    public static Quality of(FeatureSet real, FeatureSet judged, SmallSamples small) {
        return of(reference(real), judged, small);
    }

    /** What every set that is judged against these real images needs of them. */
    static Reference reference(FeatureSet real) {
        return Reference.of(real, NEIGHBOURS);
    }

    /** Judges images against real ones of the same feature space. */
    static Quality of(Reference reference, FeatureSet judged, SmallSamples small) {
        FeatureMatrix real = reference.real().features();
        reference.real().space().requireSame(judged.space());
        return new Quality(
                judged.space(),
                real.rows(),
                judged.size(),
                FrechetDistance.between(reference.statistics(), judged.statistics(), small),
                KernelDistance.unbiased(real, reference.kernel(), judged.features()),
                PrecisionRecall.of(real, reference.squaredRadii(), judged.features(), NEIGHBOURS));
    }

    /**
     * The floor: real images against other real images of the same set, one half against the other after shuffling. No
     * model can be expected below it at this n.
     */
    public static Quality halfAgainstHalf(FeatureSet real, long seed, SmallSamples small) {
        FeatureMatrix mixed = real.features().shuffled(seed);
        int half = real.size() / 2;
        return of(
                new FeatureSet(real.space(), real.dataset() + ", one half", mixed.slice(0, half)),
                new FeatureSet(real.space(), real.dataset() + ", other half", mixed.slice(half, 2 * half)),
                small);
    }

    /**
     * The floor that a model judged against {@code reference} with {@code n} images has to be read beside: that many
     * images drawn from the other real set (train against test, or test against train) judged in the model's place.
     */
    public static Quality floor(FeatureSet reference, FeatureSet otherReal, int n, long seed, SmallSamples small) {
        return floor(reference(reference), otherReal, n, seed, small);
    }

    /** The floor under what is judged against a reference. */
    static Quality floor(Reference reference, FeatureSet otherReal, int n, long seed, SmallSamples small) {
        return of(reference, otherReal.subset(n, seed), small);
    }

    /** The scores as rows of a report, under names that carry the extractor and n. */
    public Map<Measure, Double> measures() {
        return measures(List.of(this));
    }

    /** The same by several extractors: all scores by the first; distance, precision and recall by each. */
    static Map<Measure, Double> measures(List<Quality> all) {
        Quality first = all.get(0);
        String against = "against " + first.realImages + " real images";
        String balls = "k = " + first.neighbours.k() + ", " + against;
        Map<Measure, Double> rows = new LinkedHashMap<>();
        for (Quality one : all) {
            one.put(rows, MetricName::frechet, Better.LOWER, "Fréchet distance " + against, one.frechet.value());
        }
        first.put(rows, MetricName::kernel, Better.LOWER, "kernel distance, unbiased, " + against, first.kernel);
        for (Quality one : all) {
            one.put(
                    rows,
                    MetricName::precision,
                    Better.HIGHER,
                    "plausible images, " + balls,
                    one.neighbours.precision());
        }
        for (Quality one : all) {
            one.put(rows, MetricName::recall, Better.HIGHER, "real variety reached, " + balls, one.neighbours.recall());
        }
        PrecisionRecall neighbours = first.neighbours;
        first.put(
                rows, MetricName::density, Better.HIGHER, "crowding near real images, " + balls, neighbours.density());
        first.put(
                rows,
                MetricName::coverage,
                Better.HIGHER,
                "real images with a neighbour, " + balls,
                neighbours.coverage());
        return rows;
    }

    private interface Naming {
        MetricName of(FeatureSpace space, long n);
    }

    private void put(Map<Measure, Double> rows, Naming name, Better better, String meaning, double value) {
        rows.put(Measure.quality(name.of(space, images).toString(), better, meaning), value);
    }
}
