package dev.retort.sample;

import dev.retort.config.Require;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.ImageCodec;
import dev.retort.report.Progress;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws many images, a batch at a time. The batch size changes nothing in them but rounding: several threads cut the work of
 * a batch by its size, so that values may differ in their last digits.
 *
 * @param sampler how one batch is drawn
 * @param codec what makes pictures of its samples
 * @param seed seed of all images; image {@code i} has the address (seed, first + i)
 * @param batch images drawn together
 * @param first index of the first image under the seed
 * @param watcher is told of every step
 */
public record SampleJob(Sampler sampler, ImageCodec codec, long seed, int batch, long first, Watcher watcher) {
    /** Is told of every step of every batch. */
    @FunctionalInterface
    public interface Watcher {
        /** After a step. */
        void after(Step step);
    }

    /**
     * A step of a batch.
     *
     * @param first index of the batch's first image among those drawn
     * @param n images in the batch
     * @param images images in all
     * @param index calls of the network's plan before this one
     * @param calls calls in all
     * @param x0 the clean samples predicted in it (n, C, H, W), in the network's values; it lives during the call only
     */
    public record Step(int first, int n, int images, int index, int calls, Tensor x0) {}

    /** The images from index 0 on, unwatched. */
    public SampleJob(Sampler sampler, ImageCodec codec, long seed, int batch) {
        this(sampler, codec, seed, batch, 0, step -> {});
    }

    /** Receives the images in order. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes one batch.
         *
         * @param first index of its first image
         * @param pixels (n, C, H, W) in [-1, 1], up to the sampler's or the decoder's overshoot
         * @param n images in it
         */
        void accept(int first, float[] pixels, int n);
    }

    /** For a network of pixels. */
    public SampleJob(Sampler sampler, long seed, int batch) {
        this(sampler, ImageCodec.pixels(sampler.shape()), seed, batch);
    }

    /** Validates. */
    public SampleJob {
        Require.atLeast("batch", batch, 1);
    }

    /**
     * Draws one image for each prompt.
     *
     * @throws RetortException of kind MEMORY where a batch does not fit, CHECKPOINT where the values drawn are not finite
     */
    public void sample(Prompts prompts, Progress progress, Sink sink) {
        requireRoom(Math.min(batch, prompts.size()));
        progress.update(0, prompts.size(), "");
        for (int at = 0; at < prompts.size(); at += batch) {
            int n = Math.min(batch, prompts.size() - at);
            float[] pixels = pixels(prompts.slice(at, n), at, prompts.size());
            requireNumbers(pixels, at, pixels.length / n);
            sink.accept(at, pixels, n);
            progress.update(at + n, prompts.size(), "");
        }
    }

    private float[] pixels(Prompts prompts, int at, int images) {
        long[] indices =
                LongStream.range(first + at, first + at + prompts.size()).toArray();
        int calls = sampler.plan().steps().size();
        try (Scope scope = Scope.open()) {
            Tensor samples = sampler.sample(
                    prompts,
                    seed,
                    indices,
                    (input, step) -> {},
                    (step, x0, next) -> watcher.after(new Step(at, prompts.size(), images, step, calls, x0)));
            float[] pixels = Tensors.floats(codec.decode(samples));
            sampler.start().ifPresent(picture -> picture.keep(pixels));
            return pixels;
        } catch (RuntimeException e) {
            throw TorchError.translate(
                    e, "drawing " + prompts.size() + " images at once", "draw fewer at once", "batch");
        }
    }

    private void requireRoom(int together) {
        int size = Math.max(sampler.shape().values(), codec.shape().values());
        if ((long) together * size > Integer.MAX_VALUE - 8) {
            throw new RetortException(
                            Kind.MEMORY,
                            "a batch of " + together + " images of " + size
                                    + " values is larger than any array; draw at most " + (Integer.MAX_VALUE - 8) / size
                                    + " at once")
                    .about("batch");
        }
    }

    /** A network of damaged weights gives NaN, which would be drawn as black. */
    private static void requireNumbers(float[] pixels, int first, int size) {
        for (int i = 0; i < pixels.length; i++) {
            if (!Float.isFinite(pixels[i])) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "image " + (first + i / size) + " has the value " + pixels[i]
                                + ", which cannot be drawn; the statistics of 'retort inspect' tell whether the"
                                + " weights are finite, and where they are, less guidance, more steps or precision fp32"
                                + " may help");
            }
        }
    }
}
