package dev.retort.evaluate;

import dev.retort.report.Measure;
import dev.retort.report.Measure.Better;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How good a model's images are.
 *
 * @param candidate what was judged
 * @param samples the images
 * @param quality scores of their features against real ones
 * @param logits of the images; no columns where the extractor is no classifier of the model's classes
 */
public record Evaluation(Candidate candidate, SampleSet samples, Quality quality, FeatureMatrix logits) {
    private boolean classified() {
        return logits.dimension() > 0;
    }

    /** Share of images in which the classifier sees the class that was asked for. */
    public OptionalDouble classAccuracy() {
        return classified()
                ? OptionalDouble.of(ClassAgreement.share(ClassAgreement.classes(logits), samples.labels()))
                : OptionalDouble.empty();
    }

    /** Share of images in which the classifier sees what it sees in the other model's image of the same noise and class. */
    public OptionalDouble sameClassAs(Evaluation other) {
        return classified() && other.classified()
                ? OptionalDouble.of(
                        ClassAgreement.share(ClassAgreement.classes(logits), ClassAgreement.classes(other.logits)))
                : OptionalDouble.empty();
    }

    /** Rows of a report that need no measurement: size and operations. */
    public Map<Measure, Double> size() {
        return Cost.unmeasured(candidate);
    }

    /** Rows of a report: the scores. */
    public Map<Measure, Double> measures() {
        Map<Measure, Double> rows = new LinkedHashMap<>(quality.measures());
        if (classified()) {
            String name =
                    MetricName.classifierScore(quality.space(), samples.size()).toString();
            double score = ClassifierScore.of(logits, 1).mean();
            rows.put(Measure.quality(name, Better.HIGHER, "classifier score, one split"), score);
            rows.put(Measure.CLASS_ACCURACY, classAccuracy().orElseThrow());
        }
        return rows;
    }
}
