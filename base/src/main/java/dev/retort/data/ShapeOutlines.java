package dev.retort.data;

import java.util.List;

/** The outlines of {@link ShapesCondition#SHAPES} as inside tests, in a frame where u points right, v up. */
final class ShapeOutlines {
    /** Whether a point belongs to the shape; every shape lies within the unit circle. */
    @FunctionalInterface
    interface Outline {
        boolean contains(double u, double v);
    }

    /** In the order of {@link ShapesCondition#SHAPES}. */
    static final List<Outline> ALL = List.of(
            (u, v) -> square(u) + square(v) <= square(0.86),
            (u, v) -> square(u) + square(v) <= square(0.93) && square(u) + square(v) >= square(0.5),
            (u, v) -> Math.max(Math.abs(u), Math.abs(v)) <= 0.7,
            (u, v) -> Math.abs(u) / 0.66 + Math.abs(v) <= 1,
            (u, v) -> v >= -0.6 && Math.abs(u) <= (1 - v) * 0.52,
            ShapeOutlines::star,
            (u, v) -> Math.min(Math.abs(u), Math.abs(v)) <= 0.27 && Math.max(Math.abs(u), Math.abs(v)) <= 0.88,
            ShapeOutlines::heart,
            (u, v) -> square(u) + square(v) <= square(0.95) && square(u - 0.45) + square(v - 0.12) >= square(0.78),
            ShapeOutlines::flower);

    private static final double[][] FIVE = new double[5][];

    static {
        for (int i = 0; i < 5; i++) {
            FIVE[i] = new double[] {Math.sin(2 * Math.PI * i / 5), Math.cos(2 * Math.PI * i / 5)};
        }
    }

    private ShapeOutlines() {}

    /** Five points, the first one up: between a point and the notch beside it the outline is a straight line. */
    private static boolean star(double u, double v) {
        double along = alongNearest(u, v);
        double across = Math.sqrt(Math.max(0, square(u) + square(v) - square(along)));
        double notchAlong = 0.44 * Math.cos(Math.PI / 5);
        double notchAcross = 0.44 * Math.sin(Math.PI / 5);
        return across * (1 - notchAlong) <= notchAcross * (1 - along);
    }

    /** The sextic (x² + y² - 1)³ = x² y³. */
    private static boolean heart(double u, double v) {
        double x = 1.28 * u;
        double y = 1.28 * v + 0.12;
        double beyond = square(x) + square(y) - 1;
        return beyond * beyond * beyond <= square(x) * y * y * y;
    }

    /** Five round petals, the first one up. */
    private static boolean flower(double u, double v) {
        double along = alongNearest(u, v);
        double fromCentre = square(u) + square(v);
        return fromCentre <= square(0.5) || fromCentre - 1.16 * along + square(0.58) <= square(0.36);
    }

    /** How far a point reaches along the nearest of five directions, the first one up. */
    private static double alongNearest(double u, double v) {
        double most = v;
        for (int i = 1; i < 5; i++) {
            most = Math.max(most, u * FIVE[i][0] + v * FIVE[i][1]);
        }
        return most;
    }

    private static double square(double value) {
        return value * value;
    }
}
