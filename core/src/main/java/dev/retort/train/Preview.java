package dev.retort.train;

import dev.retort.io.ImageGrid;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A look at what a run has learned so far. */
@FunctionalInterface
public interface Preview {
    /**
     * What there is to see.
     *
     * @param grid pictures that the network makes
     * @param made what they are like
     * @param real what pictures of the data are like
     */
    record Look(ImageGrid grid, PictureStatistics made, PictureStatistics real) {}

    /** A look at a network of these weights. */
    Look at(Map<String, Tensor> weights);
}
