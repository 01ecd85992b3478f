package dev.retort.card;

import java.util.List;
import java.util.Map;

/**
 * What a classifier of ours is; stands beside the weights as {@code classifier.json}.
 *
 * @param format version of this file's layout
 * @param name short name, as it stands in the names of metrics: {@code CNNfashion}
 * @param network the network's shape
 * @param classes what each label means
 * @param data the data set it was trained on
 * @param imagesSeen training images seen
 * @param seed seed of the run
 * @param provenance where, when and by which command it was made
 * @param metrics what was measured of the weights in the file: {@code testAccuracy}, {@code testImages}
 */
public record ClassifierCard(
        int format,
        String name,
        ConvSpec network,
        List<String> classes,
        String data,
        long imagesSeen,
        long seed,
        Map<String, String> provenance,
        Map<String, Double> metrics) {
    /** The version this program writes. */
    public static final int FORMAT = 1;
}
