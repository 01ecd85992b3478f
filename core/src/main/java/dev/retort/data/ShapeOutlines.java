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

    private ShapeOutlines() {}

    /** Five points: the angle is folded into one tenth of the turn, where the outline is a straight line. */
    private static boolean star(double u, double v) {
        double tenth = Math.PI / 5;
        double angle = Math.abs(Math.IEEEremainder(Math.atan2(u, v), 2 * tenth));
        double radius = Math.hypot(u, v);
        double along = radius * Math.cos(angle);
        double across = radius * Math.sin(angle);
        double innerAlong = 0.44 * Math.cos(tenth);
        double innerAcross = 0.44 * Math.sin(tenth);
        return across * (1 - innerAlong) <= innerAcross * (1 - along);
    }

    /** The sextic (x² + y² - 1)³ = x² y³. */
    private static boolean heart(double u, double v) {
        double x = 1.28 * u;
        double y = 1.28 * v + 0.12;
        return Math.pow(square(x) + square(y) - 1, 3) <= square(x) * y * y * y;
    }

    /** Five round petals, the first one up. */
    private static boolean flower(double u, double v) {
        double petal = 2 * Math.PI / 5;
        double angle = Math.IEEEremainder(Math.atan2(u, v), petal);
        double radius = Math.hypot(u, v);
        double along = radius * Math.cos(angle) - 0.58;
        return radius <= 0.5 || Math.hypot(along, radius * Math.sin(angle)) <= 0.36;
    }

    private static double square(double value) {
        return value * value;
    }
}
