package dev.retort.evaluate;

import dev.retort.report.Measure;
import dev.retort.report.Measure.Better;
import dev.retort.report.ModelColumn;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How good a model's images are.
 *
 * @param candidate what was judged
 * @param samples the images
 * @param qualities scores of their features against real ones, by each extractor
 * @param memorisation whether they are copies of training images; empty without an extractor that nobody trained
 * @param classifier the extractor that classifies; empty without one of the model's classes
 * @param logits by it; no columns without one
 * @param prompts whether they show what texts asked for; empty where nobody sees it
 */
public record Evaluation(
        Candidate candidate,
        SampleSet samples,
        List<Quality> qualities,
        Optional<Memorisation> memorisation,
        Optional<FeatureSpace> classifier,
        FeatureMatrix logits,
        Optional<PromptScore> prompts) {
    private boolean classified() {
        return logits.dimension() > 0;
    }

    /** The scores by the first extractor. */
    public Quality quality() {
        return qualities.get(0);
    }

    /** Share of images in which the classifier sees the class that was asked for; empty of a model that is told nothing. */
    public OptionalDouble classAccuracy() {
        boolean asked = !candidate.card().network().condition().parts().isEmpty();
        return asked && classified()
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

    /**
     * A column of a report: size, cost, and the scores.
     *
     * @param cost as it was measured; null where it was not
     */
    public ModelColumn column(ModelColumn.Role role, Cost cost) {
        Map<Measure, Double> rows = new LinkedHashMap<>(cost == null ? Cost.unmeasured(candidate) : cost.measures());
        rows.put(Measure.IMAGES_SEEN, (double) candidate.card().imagesSeen());
        rows.putAll(Quality.measures(qualities));
        memorisation.ifPresent(found -> rows.put(Measure.NEAR_COPIES, found.copies()));
        classifier.filter(space -> classified()).ifPresent(space -> {
            double score = ClassifierScore.of(logits, 1).mean();
            String name = MetricName.classifierScore(space, samples.size()).toString();
            rows.put(Measure.quality(name, Better.HIGHER, "classifier score, one split"), score);
            classAccuracy().ifPresent(share -> rows.put(Measure.CLASS_ACCURACY, share));
        });
        prompts.ifPresent(score -> {
            rows.put(Measure.PROMPTS_RIGHT, score.share());
            score.byAttribute().keySet().forEach(name -> rows.put(Measure.promptRight(name), score.share(name)));
        });
        return new ModelColumn(candidate.name(), role, candidate.description(), rows);
    }
}
