package dev.retort.card;

import dev.retort.config.Require;
import java.util.List;

/**
 * A plain convolutional classifier: stages of 3x3 convolutions, each with batch norm and ReLU, halved in size by max
 * pooling between two stages, then the mean over space, then one linear layer.
 *
 * @param channels colour channels
 * @param height rows
 * @param width columns
 * @param stages output channels of each convolution of each stage; the last one is the size of a feature vector
 * @param classes number of classes
 */
public record ConvSpec(int channels, int height, int width, List<List<Integer>> stages, int classes) {
    /** Validates. */
    public ConvSpec {
        Require.that(channels == 1 || channels == 3, "channels", channels, "1 or 3");
        Require.atLeast("classes", classes, 2);
        requireStages(stages);
        int least = 1 << (stages.size() - 1);
        Require.atLeast("height", height, least);
        Require.atLeast("width", width, least);
    }

    /** Checks the stages alone. */
    public static void requireStages(List<List<Integer>> stages) {
        Require.notEmpty("stages", stages);
        for (List<Integer> stage : stages) {
            Require.notEmpty("stages", stage);
            stage.forEach(width -> Require.between("stages", width, 1, 4096));
        }
    }

    /** Length of a feature vector. */
    public int featureSize() {
        List<Integer> last = stages.get(stages.size() - 1);
        return last.get(last.size() - 1);
    }
}
