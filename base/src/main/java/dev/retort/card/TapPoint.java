package dev.retort.card;

/**
 * A place inside a network whose values it hands out.
 *
 * @param name name of the tap, such as {@code blocks.3}
 * @param channels values at each place of the grid
 * @param rows rows of the grid
 * @param cols columns of the grid
 * @param form how the values lie
 */
public record TapPoint(String name, int channels, int rows, int cols, Form form) {
    /** How the values of a tap lie. */
    public enum Form {
        /** (N, rows·cols, channels). */
        TOKENS,
        /** (N, channels, rows, cols). */
        MAP
    }
}
