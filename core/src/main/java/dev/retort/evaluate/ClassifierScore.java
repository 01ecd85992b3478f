package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.util.Arrays;

/**
 * Classifier score (Salimans et al. 2016, "inception score" on Inception's 1008 classes):
 * exp of the mean over x of KL(p(y|x) ‖ p(y)), from logits, in double, for each of several splits.
 *
 * @param mean over the splits
 * @param deviation population standard deviation over the splits
 */
public record ClassifierScore(double mean, double deviation) {
    /**
     * The score of logits in the order given. Splits end at i·n/splits; shuffle first where images are sorted by class,
     * as each split would see one class only.
     *
     * @param logits (n, classes)
     */
    public static ClassifierScore of(FeatureMatrix logits, int splits) {
        if (splits < 1 || splits > logits.rows()) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "Classifier score: " + splits + " splits of " + logits.rows()
                            + " images; every split needs an image, so use fewer splits.");
        }
        double[] scores = new double[splits];
        for (int s = 0; s < splits; s++) {
            int from = (int) ((long) s * logits.rows() / splits);
            int to = (int) ((long) (s + 1) * logits.rows() / splits);
            scores[s] = score(logits, from, to);
        }
        double mean = Arrays.stream(scores).average().orElseThrow();
        double variance = Arrays.stream(scores)
                .map(v -> (v - mean) * (v - mean))
                .average()
                .orElseThrow();
        return new ClassifierScore(mean, Math.sqrt(variance));
    }

    private static double score(FeatureMatrix logits, int from, int to) {
        int classes = logits.dimension();
        double[] marginal = new double[classes];
        double negativeEntropy = 0; // sum over x and y of p log p
        for (int i = from; i < to; i++) {
            double top = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < classes; c++) {
                top = Math.max(top, logits.at(i, c));
            }
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum += Math.exp(logits.at(i, c) - top);
            }
            double logSum = top + Math.log(sum);
            for (int c = 0; c < classes; c++) {
                double logP = logits.at(i, c) - logSum;
                double p = Math.exp(logP);
                marginal[c] += p / (to - from);
                negativeEntropy += p == 0 ? 0 : p * logP;
            }
        }
        double cross = 0; // sum over y of p(y) log p(y), as the mean over x of p(y|x) is p(y)
        for (double p : marginal) {
            cross += p == 0 ? 0 : p * Math.log(p);
        }
        return Math.exp(negativeEntropy / (to - from) - cross);
    }
}
