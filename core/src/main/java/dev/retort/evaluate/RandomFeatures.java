package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The neutral extractor: convolutions whose weights are drawn once and for ever from a fixed seed. No loss, discriminator or choice of a
 * checkpoint ever saw it and no images shaped it, so it favours no model; networks with random weights tell sets of images apart where no trained
 * one is at hand (Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models).
 *
 * <p>Maps of the image, then of half the size and so on until 4 x 4 or less: convolution of 3 x 3 to {@link #CHANNELS} channels and ReLU, every other
 * filter without a mean, so that it sees edges and no brightness. Features are the logarithms of each channel's mean and mean square in each map, which
 * puts faint texture beside strong light, mixed by a random projection to {@link #DIMENSION} numbers.
 */
public final class RandomFeatures implements FeatureExtractor {
    /** Length of a feature vector. */
    public static final int DIMENSION = 64;

    private static final int CHANNELS = 32;
    private static final int SMALLEST = 4;
    private static final long SEED = 20_201_119;
    private static final double FAINT = 1e-3; // what a map of a black image counts as
    private static final int MOST_PIXELS = 1 << 19; // of the images computed at once

    private final ImageShape shape;
    private final boolean middle;
    private final List<float[]> filters = new ArrayList<>();
    private final float[] projection; // (2 * maps * CHANNELS, DIMENSION)
    private final FeatureSpace space;

    private RandomFeatures(ImageShape shape, boolean middle) {
        this.shape = shape;
        this.middle = middle;
        int in = shape.channels();
        int side = Math.max(shape.height(), shape.width()) / (middle ? 2 : 1);
        do {
            filters.add(filters(in, filters.size()));
            in = CHANNELS;
            side = (side + 1) / 2;
        } while (side >= SMALLEST);
        int total = 2 * filters.size() * CHANNELS;
        projection = gaussian(DIMENSION * total, 1000, 1 / Math.sqrt(total));
        space = new FeatureSpace(
                middle ? "RandomPatch" : "RandomConv",
                hash(),
                middle ? "middle half, uint8/255" : "uint8/255",
                DIMENSION);
    }

    /** Of whole images of a shape. */
    public static RandomFeatures of(ImageShape shape) {
        return new RandomFeatures(shape, false);
    }

    /** Of their middles alone, half as high and wide: details that whole images drown (patch FD, Lin et al. 2024, SDXL-Lightning). */
    public static RandomFeatures ofPatches(ImageShape shape) {
        return new RandomFeatures(shape, true);
    }

    /** Random filters (CHANNELS, in, 3, 3) that keep the size of what they see. */
    private static float[] filters(int in, int map) {
        float[] values = gaussian(CHANNELS * in * 9, map, Math.sqrt(2.0 / (9 * in)));
        for (int at = 0; at < values.length; at += 9) {
            if (at / 9 / in % 2 == 0) {
                double mean = 0;
                for (int i = at; i < at + 9; i++) {
                    mean += values[i] / 9.0;
                }
                for (int i = at; i < at + 9; i++) {
                    values[i] -= (float) mean;
                }
            }
        }
        return values;
    }

    private static float[] gaussian(int count, int stream, double scale) {
        float[] values = new float[count];
        Rng.at(SEED, Purpose.EVALUATE, stream, 0).fillGaussian(values);
        for (int i = 0; i < count; i++) {
            values[i] *= (float) scale;
        }
        return values;
    }

    private String hash() {
        MessageDigest digest = FeatureCache.sha256();
        List<float[]> all = new ArrayList<>(filters);
        all.add(projection);
        for (float[] values : all) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public FeatureSpace space() {
        return space;
    }

    @Override
    public boolean trained() {
        return false;
    }

    @Override
    public String remark() {
        return "Nobody trained it: its weights are drawn from a fixed seed.";
    }

    @Override
    public Extraction extract(PixelBatch batch) {
        if (batch.channels() != shape.channels()
                || batch.height() != shape.height()
                || batch.width() != shape.width()) {
            throw new RetortException(
                            RetortException.Kind.DATA,
                            "the extractor looks at images of " + shape + ", these are " + batch.channels() + "x"
                                    + batch.height() + "x" + batch.width() + "; give images of one size")
                    .about("extractor");
        }
        PixelBatch seen = middle ? batch.middle() : batch;
        int most = Math.max(1, MOST_PIXELS / (seen.height() * seen.width()));
        float[][] features = new float[seen.count()][];
        for (int from = 0; from < seen.count(); from += most) {
            int to = Math.min(from + most, seen.count());
            float[][] energies = energies(seen.part(from, to));
            for (int i = from; i < to; i++) {
                features[i] = projected(energies, i - from, to - from);
            }
        }
        return new Extraction(features, new float[0][]);
    }

    /** For each map the mean and the mean square of each channel, (N, CHANNELS) each. */
    private float[][] energies(PixelBatch batch) {
        List<float[]> found = new ArrayList<>();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autocast plain = Autocast.to(Precision.FP32, Device.CPU)) {
            Tensor x =
                    ClassifierExtractor.unit(batch, Device.CPU); // (N, C, H, W) in [0, 1]: black is as what lies around
            for (float[] weights : filters) {
                if (!found.isEmpty()) {
                    x = Ops.adaptiveAveragePool(x, (x.size(2) + 1) / 2, (x.size(3) + 1) / 2);
                }
                Tensor filter = Tensors.of(weights, Device.CPU, CHANNELS, x.size(1), 3, 3);
                x = Ops.relu(Ops.conv2d(x, filter, null, 1, 1)); // (N, CHANNELS, H, W)
                Tensor values = Ops.flatten(x, 2, 3);
                found.add(Tensors.floats(Ops.mean(values, 2, false)));
                found.add(Tensors.floats(Ops.mean(Ops.square(values), 2, false)));
            }
        }
        return found.toArray(float[][]::new);
    }

    private float[] projected(float[][] energies, int image, int images) {
        double[] sums = new double[DIMENSION];
        int total = energies.length * CHANNELS;
        for (int k = 0; k < total; k++) {
            double value = Math.log(energies[k / CHANNELS][image * CHANNELS + k % CHANNELS] + FAINT);
            for (int d = 0; d < DIMENSION; d++) {
                sums[d] += value * projection[k * DIMENSION + d];
            }
        }
        float[] feature = new float[DIMENSION];
        for (int d = 0; d < DIMENSION; d++) {
            feature[d] = (float) sums[d];
        }
        return feature;
    }
}
