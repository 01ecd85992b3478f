package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.TimeSampler;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * Images with the noise, times and labels that every network of a step sees alike. Everything random is addressed by
 * (seed, purpose, position of the image on the clock), so it depends neither on batch size nor on interruptions.
 *
 * @param clean images (N, C, H, W)
 * @param noise unit noise, same shape
 * @param noisy alpha·clean + sigma·noise
 * @param time time of each image (N), in the network's units
 * @param times the same as doubles
 * @param alpha signal factor (N, 1, 1, 1)
 * @param sigma noise factor (N, 1, 1, 1)
 * @param label class of each image (N), the null class where dropped
 */
public record NoisyBatch(
        Tensor clean,
        Tensor noise,
        Tensor noisy,
        Tensor time,
        double[] times,
        Tensor alpha,
        Tensor sigma,
        Tensor label) {

    /**
     * Noises part of a batch.
     *
     * @param from first image of the part
     * @param count images of the part
     * @param nullClass what a dropped label becomes
     * @param labelDrop share of labels dropped
     */
    public static NoisyBatch of(
            Batch batch,
            int from,
            int count,
            long seed,
            NoiseSchedule schedule,
            TimeSampler sampler,
            int nullClass,
            double labelDrop,
            Device device) {
        int size = batch.channels() * batch.height() * batch.width();
        float[] noise = new float[count * size];
        double[] times = new double[count];
        double[] alpha = new double[count];
        double[] sigma = new double[count];
        int[] label = new int[count];
        for (int i = 0; i < count; i++) {
            long position = batch.firstImage() + from + i;
            times[i] = sampler.sample(schedule, Rng.at(seed, Purpose.TIME, position, 0));
            alpha[i] = schedule.alpha(times[i]);
            sigma[i] = schedule.sigma(times[i]);
            Rng.at(seed, Purpose.NOISE, position, 0).fillGaussian(noise, i * size, size);
            boolean drop = labelDrop > 0
                    && Rng.at(seed, Purpose.LABEL_DROP, position, 0).nextDouble() < labelDrop;
            label[i] = drop ? nullClass : batch.labels()[from + i];
        }
        long[] shape = {count, batch.channels(), batch.height(), batch.width()};
        Tensor clean = Tensors.of(batch.pixels(), from * size, device, shape);
        return of(
                clean,
                Tensors.of(noise, device, shape),
                times,
                Tensors.of(alpha, device).view(count, 1, 1, 1),
                Tensors.of(sigma, device).view(count, 1, 1, 1),
                Tensors.of(label, device));
    }

    /** Noises given images with given noise. */
    public static NoisyBatch of(Tensor clean, Tensor noise, double[] times, Tensor alpha, Tensor sigma, Tensor label) {
        Tensor noisy = clean.mul(alpha).add(noise.mul(sigma));
        return new NoisyBatch(clean, noise, noisy, Tensors.of(times, Device.of(clean)), times, alpha, sigma, label);
    }

    /** Number of images. */
    public int count() {
        return times.length;
    }
}
