package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.TimeSampler;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Images with the noise, times and conditions that every network of a step sees alike. Everything random is addressed by
 * (seed, purpose, position of the image on the clock), so it depends neither on batch size nor on interruptions.
 *
 * @param clean images (N, C, H, W)
 * @param noise unit noise, same shape
 * @param noisy alpha·clean + sigma·noise
 * @param times time of each image, in the network's units
 * @param alpha signal factor (N, 1, 1, 1)
 * @param sigma noise factor (N, 1, 1, 1)
 * @param condition of each image, none where dropped
 * @param paired the same images at another size under the same conditions, for a teacher that works at that size. The coarser noise
 *     is the finer averaged over cells and brought back to unit variance, which changes its ratio to the picture: the paired batch's
 *     times are those at which the two noisy images, brought to the coarser grid, hold the picture equally well. Null where
 *     there is none
 */
public record NoisyBatch(
        Tensor clean,
        Tensor noise,
        Tensor noisy,
        double[] times,
        Tensor alpha,
        Tensor sigma,
        Condition condition,
        NoisyBatch paired) {

    /**
     * What a network is told of part of a batch.
     *
     * @param conditioner makes conditions of what the batch says of its images
     * @param dropout share of conditions dropped; above 0 for networks that know "no condition" only
     */
    public static Condition condition(
            Batch batch, int from, int count, long seed, Conditioner conditioner, double dropout, Device device) {
        Condition told = conditioner.of(batch.prompts().slice(from, count), device);
        if (dropout == 0) {
            return told;
        }
        boolean[] dropped = new boolean[count];
        for (int i = 0; i < count; i++) {
            long position = batch.firstImage() + from + i;
            dropped[i] = Rng.at(seed, Purpose.LABEL_DROP, position, 0).nextDouble() < dropout;
        }
        return told.orNone(dropped, conditioner.none(count, device));
    }

    /**
     * Noises part of a batch.
     *
     * @param from first image of the part
     * @param count images of the part
     * @param condition of each image of the part, none where dropped
     */
    public static NoisyBatch of(
            Batch batch,
            int from,
            int count,
            long seed,
            NoiseSchedule schedule,
            TimeSampler sampler,
            Condition condition,
            Device device) {
        Batch fine = batch.paired() != null && batch.paired().height() > batch.height() ? batch.paired() : batch;
        double[] times = new double[count];
        for (int i = 0; i < count; i++) {
            times[i] = sampler.sample(schedule, Rng.at(seed, Purpose.TIME, batch.firstImage() + from + i, 0));
        }
        Tensor unit = noise(fine, from, count, seed, device);
        NoisyBatch paired = null;
        if (batch.paired() != null) {
            double[] pairedTimes = timesAtHeight(batch.paired().height(), times, batch.height(), schedule);
            paired = at(batch.paired(), from, unit, pairedTimes, schedule, condition, null);
        }
        return at(batch, from, unit, times, schedule, condition, paired);
    }

    /** Unit noise for part of a batch (N, C, H, W). */
    static Tensor noise(Batch batch, int from, int count, long seed, Device device) {
        int size = batch.channels() * batch.height() * batch.width();
        float[] noise = new float[count * size];
        for (int i = 0; i < count; i++) {
            Rng.at(seed, Purpose.NOISE, batch.firstImage() + from + i, 0).fillGaussian(noise, i * size, size);
        }
        return Tensors.of(noise, device, count, batch.channels(), batch.height(), batch.width());
    }

    /**
     * Averaging r by r cells divides the noise by r: sigma/alpha at the finer size is r times that at the coarser where both
     * leave as much of the picture.
     */
    private static double[] timesAtHeight(int other, double[] times, int height, NoiseSchedule schedule) {
        double finer = (double) other / height;
        return Arrays.stream(times)
                .map(time ->
                        schedule.pointOfRatio(schedule.noiseRatio(time) * finer).time())
                .toArray();
    }

    private static NoisyBatch at(
            Batch batch,
            int from,
            Tensor unit,
            double[] times,
            NoiseSchedule schedule,
            Condition condition,
            NoisyBatch paired) {
        Tensor clean = clean(batch, from, times.length, Device.of(unit));
        return of(clean, noise(batch, unit), times, schedule, condition, paired);
    }

    /** Images of part of a batch (N, C, H, W). */
    static Tensor clean(Batch batch, int from, int count, Device device) {
        int size = batch.channels() * batch.height() * batch.width();
        return Tensors.of(batch.pixels(), from * size, device, count, batch.channels(), batch.height(), batch.width());
    }

    /** Unit noise averaged over the cells of a batch's grid: a mean of n cells has variance 1/n. */
    private static Tensor noise(Batch batch, Tensor noise) {
        if (noise.size(2) == batch.height() && noise.size(3) == batch.width()) {
            return noise;
        }
        double cells = (double) noise.size(2) * noise.size(3) / (batch.height() * batch.width());
        return Ops.mul(Ops.adaptiveAveragePool(noise, batch.height(), batch.width()), Math.sqrt(cells));
    }

    /** Noises given images with given noise. */
    public static NoisyBatch of(
            Tensor clean, Tensor noise, double[] times, Tensor alpha, Tensor sigma, Condition condition) {
        return of(clean, noise, times, alpha, sigma, condition, null);
    }

    /** The same at times of a schedule. */
    public static NoisyBatch of(
            Tensor clean, Tensor noise, double[] times, NoiseSchedule schedule, Condition condition) {
        return of(clean, noise, times, schedule, condition, null);
    }

    private static NoisyBatch of(
            Tensor clean, Tensor noise, double[] times, NoiseSchedule schedule, Condition condition, NoisyBatch twin) {
        Tensor alpha = Tensors.column(Arrays.stream(times).map(schedule::alpha).toArray(), clean);
        Tensor sigma = Tensors.column(Arrays.stream(times).map(schedule::sigma).toArray(), clean);
        return of(clean, noise, times, alpha, sigma, condition, twin);
    }

    private static NoisyBatch of(
            Tensor clean,
            Tensor noise,
            double[] times,
            Tensor alpha,
            Tensor sigma,
            Condition condition,
            NoisyBatch paired) {
        Tensor noisy = clean.mul(alpha).add(noise.mul(sigma));
        return new NoisyBatch(clean, noise, noisy, times, alpha, sigma, condition, paired);
    }

    /** What a perfect network that predicts in that way would return (N, C, H, W). */
    public Tensor target(Prediction prediction, NoiseSchedule schedule) {
        double[] ofClean = new double[count()];
        double[] ofNoise = new double[count()];
        for (int i = 0; i < count(); i++) {
            double signal = schedule.alpha(times[i]);
            double noises = schedule.sigma(times[i]);
            ofClean[i] = prediction.targetFromX0(signal, noises);
            ofNoise[i] = prediction.targetFromEps(signal, noises);
        }
        return clean.mul(Tensors.column(ofClean, clean)).add(noise.mul(Tensors.column(ofNoise, clean)));
    }

    /** Number of images. */
    public int count() {
        return times.length;
    }
}
