package dev.retort.data;

import java.util.List;
import java.util.Locale;

/**
 * What a picture of {@link Shapes} shows.
 *
 * @param shape class: index into {@link #SHAPES}
 * @param colour index into {@link #COLOURS}
 * @param x centre, -1 left edge to 1 right edge
 * @param y centre, -1 top edge to 1 bottom edge
 * @param radius half the extent, as a share of half the picture: 0 to 1
 * @param turn rotation in radians, counter-clockwise
 */
public record ShapesCondition(int shape, int colour, double x, double y, double radius, double turn) {
    /** The classes, in the order of their labels. */
    public static final List<String> SHAPES =
            List.of("circle", "ring", "square", "diamond", "triangle", "star", "cross", "heart", "moon", "flower");

    /** The colours, in the order of their numbers. */
    public static final List<String> COLOURS =
            List.of("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink");

    public ShapesCondition {
        within("shape", shape, 0, SHAPES.size() - 1);
        within("colour", colour, 0, COLOURS.size() - 1);
        within("x", x, -1, 1);
        within("y", y, -1, 1);
        within("radius", radius, 0, 1);
    }

    /** In words, such as {@code red star at (0.1, -0.2)}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s %s at (%.2f, %.2f)", COLOURS.get(colour), SHAPES.get(shape), x, y);
    }

    private static void within(String field, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(field + " is " + value + ", expected " + least + " to " + most);
        }
    }
}
