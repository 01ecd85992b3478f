package dev.retort.data;

import dev.retort.data.ShapeFigure.Drawn;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads from a picture what it shows of {@link ShapeAttributes}, without any learned weights: a check of models that were
 * trained on {@link CaptionedShapes}. The figure is what differs from the background in hue; its kind and size are those
 * of the drawn shape that covers it best, its colour the nearest ink, its place the nearest one. Made for pictures of 24
 * pixels and more.
 */
public final class ShapeReader {
    /** Below this share of common area with the best drawn shape a figure is no shape. */
    private static final double LEAST_OVERLAP = 0.72;

    /** What differs from the background beside the figure, by this share of its area, makes a picture unreadable. */
    private static final double BESIDE = 0.2;

    /** The cosine of the largest angle between a figure's hue and its ink's. */
    private static final double LEAST_COSINE = 0.93;

    /** A figure has at least this share of its ink's chroma: half and half of two pictures has about half. */
    private static final double LEAST_CHROMA = 0.7;

    private static final int SHARP = 1;
    private static final int BLURRED = 2;

    private final int size;
    private final Shapes shapes;
    private final List<Kind> kinds;

    /** @param size rows and columns of the pictures, 16 to 64 */
    public ShapeReader(int size) {
        this.size = size;
        shapes = new Shapes(size, 0);
        kinds = ShapeAttributes.KINDS.stream().map(Kind::of).toList();
    }

    /**
     * What was read.
     *
     * @param attributes what the picture shows
     * @param confidence area that the figure has in common with the best drawn shape, as a share of what either covers: 0 to 1
     */
    public record Reading(ShapeAttributes attributes, double confidence) {}

    /** An outline of radius 1: its area and how far its centre of mass lies below its middle. */
    private record Kind(String name, double area, double below) {
        private static final int STEPS = 400;

        static Kind of(String name) {
            ShapeOutlines.Outline outline = ShapeOutlines.ALL.get(ShapesCondition.SHAPES.indexOf(name));
            double area = 0;
            double moment = 0;
            for (int row = 0; row < STEPS; row++) {
                double v = 1 - (2 * row + 1.0) / STEPS;
                for (int column = 0; column < STEPS; column++) {
                    if (outline.contains((2 * column + 1.0) / STEPS - 1, v)) {
                        area += 4.0 / (STEPS * STEPS);
                        moment -= v * 4.0 / (STEPS * STEPS);
                    }
                }
            }
            return new Kind(name, area, moment / area);
        }
    }

    private record Fit(Kind kind, ShapesCondition shape, double core, double overlap) {}

    /**
     * Reads a picture.
     *
     * @param pixels CHW in [-1, 1], three channels
     * @param offset where the picture begins
     * @return what it shows; empty where nothing is recognised
     */
    public Optional<Reading> read(float[] pixels, int offset) {
        return ShapeFigure.find(pixels, offset, size)
                .filter(figure -> figure.besideShare() < BESIDE)
                .flatMap(this::reading);
    }

    private Optional<Reading> reading(ShapeFigure figure) {
        Fit best = kinds.stream()
                .flatMap(kind -> Stream.of(fit(kind, figure, SHARP), fit(kind, figure, BLURRED)))
                .max(Comparator.comparingDouble(Fit::overlap))
                .orElseThrow();
        if (best.overlap() < LEAST_OVERLAP) {
            return Optional.empty();
        }
        return colour(figure, best.core())
                .map(colour -> new Reading(
                        new ShapeAttributes(
                                best.kind().name(),
                                colour,
                                nearestSize(best.shape().radius()),
                                nearestPlace(best.shape())),
                        best.overlap()));
    }

    /** The shape of this kind with the figure's area and centre of mass. */
    private Fit fit(Kind kind, ShapeFigure figure, int smoothed) {
        double radius = Math.min(1, Math.sqrt(figure.area() / kind.area()));
        double area = drawn(placed(kind, figure, radius), smoothed).area(size);
        ShapesCondition shape = placed(kind, figure, Math.min(1, radius * Math.sqrt(figure.area() / area)));
        Drawn drawn = drawn(shape, smoothed);
        return new Fit(kind, shape, drawn.core(), figure.overlap(drawn));
    }

    private static ShapesCondition placed(Kind kind, ShapeFigure figure, double radius) {
        return new ShapesCondition(
                ShapesCondition.SHAPES.indexOf(kind.name()),
                0,
                clamped(figure.x()),
                clamped(figure.y() - kind.below() * radius),
                radius,
                0);
    }

    private Drawn drawn(ShapesCondition shape, int smoothed) {
        return Drawn.of(shapes.coverage(shape), size, smoothed);
    }

    private static double clamped(double value) {
        return Math.max(-1, Math.min(1, value));
    }

    /** The ink whose hue is the figure's. */
    private static Optional<String> colour(ShapeFigure figure, double core) {
        String nearest = ShapeAttributes.COLOURS.stream()
                .max(Comparator.comparingDouble(name -> cosine(figure.hue(), hue(name, figure))))
                .orElseThrow();
        double[] ink = hue(nearest, figure);
        boolean is =
                cosine(figure.hue(), ink) >= LEAST_COSINE && length(figure.hue()) >= LEAST_CHROMA * core * length(ink);
        return is ? Optional.of(nearest) : Optional.empty();
    }

    /** How an ink differs from the background, without the grey part. */
    private static double[] hue(String name, ShapeFigure figure) {
        double[] ink = Shapes.ink(ShapesCondition.COLOURS.indexOf(name));
        double grey = (ink[0] + ink[1] + ink[2]) / 3;
        for (int c = 0; c < 3; c++) {
            ink[c] -= grey + figure.background()[c];
        }
        return ink;
    }

    private static double cosine(double[] a, double[] b) {
        return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (length(a) * length(b));
    }

    private static double length(double[] vector) {
        return Math.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]);
    }

    private static String nearestSize(double radius) {
        return ShapeAttributes.SIZES.stream()
                .min(Comparator.comparingDouble(name -> Math.abs(Math.log(radius / CaptionedShapes.radius(name)))))
                .orElseThrow();
    }

    private static String nearestPlace(ShapesCondition shape) {
        return ShapeAttributes.PLACES.stream()
                .min(Comparator.comparingDouble(name ->
                        Math.hypot(shape.x() - CaptionedShapes.across(name), shape.y() - CaptionedShapes.down(name))))
                .orElseThrow();
    }
}
