package dev.retort.data;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.List;

/**
 * The data set that needs no file: one coloured shape on a softly lit background, drawn on request, without end, each
 * picture a pure function of (seed, index). The class is the kind of shape; colour, place and size are further
 * conditions, told by {@link #condition}.
 */
public final class Shapes implements ImageSource {
    private static final int SUBSAMPLES = 4;
    private static final double SHADOW_SHIFT = 0.09;
    private static final int FLOWER = ShapesCondition.SHAPES.indexOf("flower");
    private static final double[][] INKS = {
        {0.90, 0.16, 0.20}, {0.98, 0.52, 0.10}, {0.99, 0.83, 0.15}, {0.20, 0.70, 0.28},
        {0.08, 0.66, 0.66}, {0.16, 0.38, 0.88}, {0.52, 0.24, 0.76}, {0.97, 0.45, 0.68}
    };

    private final int size;
    private final long seed;

    /**
     * The shapes of one seed.
     *
     * @param size rows and columns, 16 to 64
     * @param seed another seed, other pictures
     */
    public Shapes(int size, long seed) {
        if (size < 16 || size > 64) {
            throw new IllegalArgumentException("size is " + size + ", expected 16 to 64");
        }
        this.size = size;
        this.seed = seed;
    }

    @Override
    public String name() {
        return "shapes";
    }

    @Override
    public int channels() {
        return 3;
    }

    @Override
    public int height() {
        return size;
    }

    @Override
    public int width() {
        return size;
    }

    @Override
    public List<String> classNames() {
        return ShapesCondition.SHAPES;
    }

    @Override
    public long size() {
        return INFINITE;
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        ShapesCondition condition = condition(index);
        render(condition, Rng.at(seed, Purpose.DATA, index, 1).nextLong(), out, offset);
        return new Note(condition.shape());
    }

    @Override
    public int label(long index) {
        return condition(index).shape();
    }

    /** What picture {@code index} shows. */
    public ShapesCondition condition(long index) {
        Rng rng = Rng.at(seed, Purpose.DATA, index, 0);
        int shape = rng.nextInt(ShapesCondition.SHAPES.size());
        int colour = rng.nextInt(ShapesCondition.COLOURS.size());
        double radius = 0.66 + 0.18 * rng.nextDouble(); // at 16 pixels a smaller star has no points
        double room = 0.97 - radius;
        double x = room * (2 * rng.nextDouble() - 1);
        double y = room * (2 * rng.nextDouble() - 1);
        return new ShapesCondition(shape, colour, x, y, radius, 0.4 * (rng.nextDouble() - 0.5));
    }

    /**
     * Draws what is asked for, CHW in [-1, 1].
     *
     * @param condition what to show
     * @param background decides the background's tint and the exact shade of the colour
     */
    public void render(ShapesCondition condition, long background, float[] out, int offset) {
        double[] ink = shade(INKS[condition.colour()], background);
        double[] paper = paper(INKS[condition.colour()], background);
        double[] centre = condition.shape() == FLOWER ? new double[] {1, 0.95, 0.75} : ink;
        boolean[] mask = mask(condition);
        int away = Math.toIntExact(Math.round(SHADOW_SHIFT * size * SUBSAMPLES / 2));
        for (int row = 0; row < size; row++) {
            double y = (2 * row + 1.0) / size - 1;
            double down = y - condition.y();
            for (int column = 0; column < size; column++) {
                double x = (2 * column + 1.0) / size - 1;
                double right = x - condition.x();
                double covered = coverage(mask, row, column, 0);
                double shadow = 0.30 * coverage(mask, row, column, away);
                double paperLight = (1 - shadow) * (1 - 0.10 * (y - 0.3 * x));
                double inkLight = 1 - 0.16 * (down - 0.5 * right) / condition.radius();
                double fromCentre = Math.sqrt(down * down + right * right);
                double eye = Math.max(0, Math.min(1, 0.5 + (0.3 * condition.radius() - fromCentre) * size / 2));
                for (int channel = 0; channel < 3; channel++) {
                    double front = (eye * centre[channel] + (1 - eye) * ink[channel]) * inkLight;
                    double value = covered * front + (1 - covered) * paper[channel] * paperLight;
                    out[offset + (channel * size + row) * size + column] =
                            (float) (2 * Math.max(0, Math.min(1, value)) - 1);
                }
            }
        }
    }

    /** Which subsamples, {@code SUBSAMPLES} squared to a pixel, lie inside the shape. */
    private boolean[] mask(ShapesCondition condition) {
        int fine = size * SUBSAMPLES;
        boolean[] mask = new boolean[fine * fine];
        ShapeOutlines.Outline outline = ShapeOutlines.ALL.get(condition.shape());
        double cos = Math.cos(condition.turn()) / condition.radius();
        double sin = Math.sin(condition.turn()) / condition.radius();
        int top = subsample(condition.y() - condition.radius());
        int bottom = subsample(condition.y() + condition.radius());
        int left = subsample(condition.x() - condition.radius());
        int right = subsample(condition.x() + condition.radius());
        for (int row = top; row <= bottom; row++) {
            double up = condition.y() - ((2 * row + 1.0) / fine - 1);
            for (int column = left; column <= right; column++) {
                double along = (2 * column + 1.0) / fine - 1 - condition.x();
                mask[row * fine + column] = outline.contains(cos * along + sin * up, cos * up - sin * along);
            }
        }
        return mask;
    }

    private int subsample(double coordinate) {
        int fine = size * SUBSAMPLES;
        return Math.max(0, Math.min(fine - 1, (int) ((coordinate + 1) / 2 * fine)));
    }

    /** Share of a pixel inside the mask moved down and right by {@code away} subsamples. */
    private double coverage(boolean[] mask, int row, int column, int away) {
        int fine = size * SUBSAMPLES;
        int inside = 0;
        for (int y = row * SUBSAMPLES - away; y < (row + 1) * SUBSAMPLES - away; y++) {
            for (int x = column * SUBSAMPLES - away; x < (column + 1) * SUBSAMPLES - away; x++) {
                if (y >= 0 && x >= 0 && mask[y * fine + x]) {
                    inside++;
                }
            }
        }
        return inside / (double) (SUBSAMPLES * SUBSAMPLES);
    }

    /** The ink of a colour in even light, RGB from 0 to 1. */
    static double[] ink(int colour) {
        return INKS[colour].clone();
    }

    /** Share of each pixel that a shape of this condition covers, row by row. */
    double[] coverage(ShapesCondition condition) {
        boolean[] mask = mask(condition);
        double[] covered = new double[size * size];
        int left = subsample(condition.x() - condition.radius()) / SUBSAMPLES;
        int right = subsample(condition.x() + condition.radius()) / SUBSAMPLES;
        int bottom = subsample(condition.y() + condition.radius()) / SUBSAMPLES;
        for (int row = subsample(condition.y() - condition.radius()) / SUBSAMPLES; row <= bottom; row++) {
            for (int column = left; column <= right; column++) {
                covered[row * size + column] = coverage(mask, row, column, 0);
            }
        }
        return covered;
    }

    private static double[] shade(double[] ink, long background) {
        double light = 0.94 + 0.12 * (background >>> 40 & 0xff) / 255.0;
        return new double[] {ink[0] * light, ink[1] * light, ink[2] * light};
    }

    /** A pale or a dark tint, whichever the ink stands out from; both kinds where both serve. */
    private static double[] paper(double[] ink, long background) {
        double luminance = 0.2126 * ink[0] + 0.7152 * ink[1] + 0.0722 * ink[2];
        boolean darkServes = luminance > 0.5 || ink[0] > 0.8;
        boolean paleServes = luminance < 0.6;
        boolean pale = paleServes && (!darkServes || (background & 1) == 0);
        double draw = (background >>> 8 & 0xffff) / 65536.0;
        double hue = pale ? draw : 0.52 + 0.33 * draw; // dark tints keep to blue and violet, others look muddy
        double[] tint = new double[3];
        for (int channel = 0; channel < 3; channel++) {
            double wave = 0.5 + 0.5 * Math.cos(2 * Math.PI * (hue - channel / 3.0));
            tint[channel] = pale ? 0.82 + 0.14 * wave : 0.10 + 0.18 * wave;
        }
        return tint;
    }
}
