package dev.retort.train;

import dev.retort.io.ImageGrid;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A look at what a run has learned so far. */
@FunctionalInterface
public interface Preview {
    /** A picture of what a network of these weights makes. */
    ImageGrid sample(Map<String, Tensor> weights);
}
