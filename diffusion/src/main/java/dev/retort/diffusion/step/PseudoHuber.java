package dev.retort.diffusion.step;

/**
 * The pseudo-Huber distance sqrt(d^2 + c^2) - c (Song and Dhariwal 2023), of a whole sample's norm d or element by element. With c = 0 it is d itself.
 *
 * @param c at least 0; where the distance changes from square to straight
 */
public record PseudoHuber(double c) {
    public PseudoHuber {
        if (!(c >= 0) || Double.isInfinite(c)) {
            throw new IllegalArgumentException("c is " + c + ", expected a finite number of at least 0");
        }
    }

    /** The c of the paper for samples of so many elements: 0.00054 sqrt(elements). */
    public static PseudoHuber ofSize(long elements) {
        return new PseudoHuber(0.00054 * Math.sqrt(elements));
    }

    /** The distance, for d^2. */
    public double of(double square) {
        return Math.sqrt(square + c * c) - c;
    }

    /** Its derivative by d^2, so that the gradient by a difference is twice this times the difference; 0 at d = c = 0. */
    public double slope(double square) {
        double root = Math.sqrt(square + c * c);
        return root == 0 ? 0 : 0.5 / root;
    }
}
