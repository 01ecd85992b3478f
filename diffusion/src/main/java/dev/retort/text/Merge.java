package dev.retort.text;

/**
 * Two tokens that become one (Sennrich et al. 2016).
 *
 * @param left the first
 * @param right the one behind it
 */
public record Merge(String left, String right) {
    /** The token that they become. */
    public String joined() {
        return left + right;
    }
}
