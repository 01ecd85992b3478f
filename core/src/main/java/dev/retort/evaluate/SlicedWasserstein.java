package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How far images lie from as many real ones, without any network: the sliced Wasserstein distance (Rabin et al. 2011) on two levels of
 * a Laplacian pyramid (after Karras et al. 2018), coarse and fine. Of a level it is W₁ of the values along random directions,
 * always the same ones: the mean distance of sorted values, divided by the spread of the real ones, averaged over directions.
 */
public final class SlicedWasserstein {
    private static final int DIRECTIONS = 128;
    private static final long STREAM = 1L << 40; // of no image of an evaluation

    private final ImageShape shape;
    private final List<double[][]> directions = new ArrayList<>();
    /** Of each level and direction: the real values along it, rising. */
    private final List<double[][]> real = new ArrayList<>();

    /**
     * Looks at the real images.
     *
     * @param images (N, C, H, W)
     */
    public SlicedWasserstein(ImageShape shape, float[] images) {
        this.shape = shape;
        int level = 0;
        for (float[] values : levels(images)) {
            int size = values.length / (images.length / shape.values());
            double[][] along = new double[DIRECTIONS][];
            for (int k = 0; k < DIRECTIONS; k++) {
                along[k] = direction(level, k, size);
            }
            directions.add(along);
            real.add(projected(values, along));
            level++;
        }
    }

    /**
     * The distance of images, 0 where they are the same and about 0.8 where nothing of the real ones' variety is left.
     *
     * @param images (N, C, H, W), as many as there are real ones
     */
    public double of(float[] images) {
        double sum = 0;
        List<float[]> levels = levels(images);
        for (int level = 0; level < levels.size(); level++) {
            double[][] made = projected(levels.get(level), directions.get(level));
            for (int k = 0; k < DIRECTIONS; k++) {
                double[] wanted = real.get(level)[k];
                double distance = 0;
                for (int i = 0; i < wanted.length; i++) {
                    distance += Math.abs(made[k][i] - wanted[i]) / wanted.length;
                }
                sum += distance / Math.max(spread(wanted), Double.MIN_NORMAL);
            }
        }
        return sum / levels.size() / DIRECTIONS;
    }

    private static double[] direction(int level, int k, int size) {
        float[] values = new float[size];
        Rng.at(STREAM, Purpose.EVALUATE, level, k).fillGaussian(values);
        double square = 0;
        for (float value : values) {
            square += (double) value * value;
        }
        double[] unit = new double[size];
        for (int i = 0; i < size; i++) {
            unit[i] = values[i] / Math.sqrt(square);
        }
        return unit;
    }

    private static double[][] projected(float[] values, double[][] along) {
        int size = along[0].length;
        double[][] projected = new double[along.length][values.length / size];
        for (int k = 0; k < along.length; k++) {
            for (int i = 0; i < projected[k].length; i++) {
                double sum = 0;
                for (int j = 0; j < size; j++) {
                    sum += along[k][j] * values[i * size + j];
                }
                projected[k][i] = sum;
            }
            Arrays.sort(projected[k]);
        }
        return projected;
    }

    private static double spread(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        return Math.sqrt(Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .average()
                .orElseThrow());
    }

    /** Means of 2 x 2, and what is left without them; the images themselves where a side is odd. */
    private List<float[]> levels(float[] images) {
        int h = shape.height();
        int w = shape.width();
        if (h % 2 != 0 || w % 2 != 0) {
            return List.of(images);
        }
        float[] coarse = new float[images.length / 4];
        for (int i = 0; i < images.length; i++) {
            coarse[half(i, h, w)] += images[i] / 4;
        }
        float[] fine = new float[images.length];
        for (int i = 0; i < images.length; i++) {
            fine[i] = images[i] - coarse[half(i, h, w)];
        }
        return List.of(coarse, fine);
    }

    /** The place of a value's mean. */
    private static int half(int i, int h, int w) {
        int plane = i / (h * w);
        int y = i / w % h;
        int x = i % w;
        return (plane * (h / 2) + y / 2) * (w / 2) + x / 2;
    }
}
