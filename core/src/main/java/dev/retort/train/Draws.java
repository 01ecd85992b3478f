package dev.retort.train;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.Tensor;

/**
 * Random numbers of a loss. Each image of a batch has a stream of its own, addressed by (seed, name of the stream, place of the
 * image on the clock), so they depend neither on the batch, nor on how it is cut, nor on interruptions. Losses that name the
 * same stream get the same numbers.
 */
public final class Draws {
    private static final int NUMBERS = 1 << 8;
    private final Rng[] streams;
    private final Device device;

    Draws(long seed, String stream, int number, long firstImage, int count, Device device) {
        if (number < 0 || number >= NUMBERS) {
            throw new IllegalArgumentException("number is " + number + ", expected 0 to " + (NUMBERS - 1));
        }
        CRC32C crc = new CRC32C();
        crc.update(stream.getBytes(StandardCharsets.UTF_8));
        long address = crc.getValue() * NUMBERS + number;
        streams = IntStream.range(0, count)
                .mapToObj(i -> Rng.at(seed, Purpose.LOSS, firstImage + i, address))
                .toArray(Rng[]::new);
        this.device = device;
    }

    /** Standard normal numbers (N, …): the next ones of each image's stream. */
    public Tensor gaussian(long... shape) {
        int size = 1;
        for (long side : shape) {
            size = Math.toIntExact(size * side);
        }
        float[] values = new float[streams.length * size];
        for (int i = 0; i < streams.length; i++) {
            streams[i].fillGaussian(values, i * size, size);
        }
        long[] whole = new long[shape.length + 1];
        whole[0] = streams.length;
        System.arraycopy(shape, 0, whole, 1, shape.length);
        return Tensors.of(values, device, whole);
    }

    /** A number in [0, 1) for each image. */
    public double[] uniform() {
        return each(Rng::nextDouble);
    }

    /** A whole number in 0..bound-1 for each image. */
    public int[] index(int bound) {
        return IntStream.range(0, streams.length)
                .map(i -> streams[i].nextInt(bound))
                .toArray();
    }

    /** Whatever number a function takes from each image's stream, such as a time from a sampler. */
    public double[] each(ToDoubleFunction<Rng> number) {
        double[] values = new double[streams.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = number.applyAsDouble(streams[i]);
        }
        return values;
    }
}
