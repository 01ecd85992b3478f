package dev.retort.data;

import dev.retort.config.Require;
import java.util.ArrayList;
import java.util.List;

/**
 * What a picture of {@link CaptionedShapes} shows, in the words of its captions.
 *
 * @param kind one of {@link #KINDS}
 * @param colour one of {@link #COLOURS}
 * @param size one of {@link #SIZES}
 * @param place one of {@link #PLACES}
 */
public record ShapeAttributes(String kind, String colour, String size, String place) {
    /** Kinds that are told apart at 24 pixels. */
    public static final List<String> KINDS = List.of("circle", "square", "triangle", "cross");

    /** Colours whose hues lie well apart. */
    public static final List<String> COLOURS = List.of("red", "yellow", "green", "teal", "blue", "purple");

    /** The sizes. */
    public static final List<String> SIZES = List.of("small", "large");

    /** The places. */
    public static final List<String> PLACES = List.of("top left", "top right", "bottom left", "bottom right", "centre");

    /** Validates. */
    public ShapeAttributes {
        Require.oneOf("kind", kind, KINDS);
        Require.oneOf("colour", colour, COLOURS);
        Require.oneOf("size", size, SIZES);
        Require.oneOf("place", place, PLACES);
    }

    /** All combinations, in a fixed order. */
    public static List<ShapeAttributes> all() {
        List<ShapeAttributes> all = new ArrayList<>();
        for (String kind : KINDS) {
            for (String colour : COLOURS) {
                for (String size : SIZES) {
                    for (String place : PLACES) {
                        all.add(new ShapeAttributes(kind, colour, size, place));
                    }
                }
            }
        }
        return all;
    }

    /** {@code a small red circle at the top left}. */
    public String caption() {
        return "a " + size + " " + colour + " " + kind + (place.equals("centre") ? " in the " : " at the ") + place;
    }

    /** {@link #caption} and other wordings of the same. */
    public List<String> captions() {
        return List.of(
                caption(),
                size + " " + colour + " " + kind + ", " + place,
                "in the " + place + " a " + size + " " + kind + " in " + colour);
    }
}
