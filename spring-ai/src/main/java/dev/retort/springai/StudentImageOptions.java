package dev.retort.springai;

import org.springframework.ai.image.ImageOptions;

/**
 * What may be asked of a student beside a prompt. Spring AI's own options serve too, but know no seed and no steps.
 *
 * @param n pictures, at least 1; {@code null} for one
 * @param width of the student's pictures, or {@code null}
 * @param height of the student's pictures, or {@code null}
 * @param seed at least 0; {@code null} for the model's own
 * @param steps one of the student's numbers of steps; {@code null} for its own
 */
public record StudentImageOptions(Integer n, Integer width, Integer height, Long seed, Integer steps)
        implements ImageOptions {
    /** One picture as the student draws it. */
    public static StudentImageOptions usual() {
        return new StudentImageOptions(null, null, null, null, null);
    }

    /** The same for so many pictures. */
    public StudentImageOptions n(int n) {
        return new StudentImageOptions(n, width, height, seed, steps);
    }

    /** The same from a seed. */
    public StudentImageOptions seed(long seed) {
        return new StudentImageOptions(n, width, height, seed, steps);
    }

    /** The same in so many steps. */
    public StudentImageOptions steps(int steps) {
        return new StudentImageOptions(n, width, height, seed, steps);
    }

    @Override
    public Integer getN() {
        return n;
    }

    @Override
    public Integer getWidth() {
        return width;
    }

    @Override
    public Integer getHeight() {
        return height;
    }

    /** The one form in which pictures come. */
    @Override
    public String getResponseFormat() {
        return StudentImageModel.RESPONSE_FORMAT;
    }

    /** None: a student is one model. */
    @Override
    public String getModel() {
        return null;
    }

    /** None: a student knows classes alone. */
    @Override
    public String getStyle() {
        return null;
    }
}
