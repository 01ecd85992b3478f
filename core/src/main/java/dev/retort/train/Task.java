package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.data.ImageSource;
import dev.retort.run.RunFolder;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * What a run is about: which images, what losses get to see of them, and what becomes of the result. The trainer knows no
 * more of it.
 */
public interface Task extends AutoCloseable {
    /** The images. */
    ImageSource source();

    /** Name of the player whose weights are the result. */
    String published();

    /** A batch as training wants it, such as with images moved at random. */
    default Batch prepared(Batch batch) {
        return batch;
    }

    /**
     * What the losses of a phase see of part of a batch.
     *
     * @param from first image of the part
     * @param count images of the part
     */
    Pass pass(Batch batch, int from, int count, Pass.Context context);

    /**
     * Why a checkpoint belongs to another run, in which labels, images or the teacher meant something else: what follows its
     * name in a sentence, with what helps; empty where it belongs to this one.
     */
    Optional<String> otherRun(Path checkpoint);

    /** Writes the result so far into a checkpoint that is being written, the weights as {@code model.safetensors} in fp32. */
    void write(Path checkpoint, Map<String, Tensor> weights, long imagesSeen);

    /** Writes the result of the whole run; returns where. */
    Path publish(RunFolder run, Map<String, Tensor> weights, long imagesSeen);

    /**
     * Keeps the result so far where it is the best yet, in a way that the task measures; asked with every look at it.
     *
     * @return what was measured, by names of the log; empty where nothing is kept but the last
     */
    default Map<String, Object> keepBest(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
        return Map.of();
    }

    /** A look at the result so far, where there is anything to see. */
    default Optional<Preview> preview() {
        return Optional.empty();
    }

    /** Images that are not learned, to see how well the result does on them; empty where there are none. */
    default Optional<HeldOut> heldOut() {
        return Optional.empty();
    }

    /** Multiply-accumulates of one forward pass of the result for one image; 0 where nobody counted. */
    default long macs() {
        return 0;
    }

    /** What a cache of latents saves, where the images are latents. */
    default Optional<EncodingCost> encoding() {
        return Optional.empty();
    }

    @Override
    default void close() {}
}
