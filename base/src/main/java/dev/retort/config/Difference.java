package dev.retort.config;

/**
 * A field in which two configurations differ.
 *
 * @param path the field, {@code stages.0.images}
 * @param there its value in the one, as JSON, or {@code absent}
 * @param here its value in the other
 */
public record Difference(String path, String there, String here) {
    @Override
    public String toString() {
        return path + " is " + there + " there, " + here + " here";
    }
}
