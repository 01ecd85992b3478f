package dev.retort.card;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/** Which sizes of pictures a model can draw besides its own. */
final class PictureSize {
    private static final int LARGEST_SIDE = 1 << 14; // the values of a larger picture have no room in an array

    private PictureSize() {}

    /**
     * The model's network for pictures of that size.
     *
     * @throws RetortException of kind USAGE, about {@code size}
     */
    static NetworkSpec of(ModelCard card, int height, int width) {
        NetworkSpec network = card.network();
        int downscale = card.autoencoder() == null ? 1 : card.autoencoder().downscale();
        NetworkSpec sized;
        try {
            sized = network.withSize(Math.max(1, height / downscale), Math.max(1, width / downscale));
        } catch (IllegalArgumentException e) {
            throw refused(height, width, ", but " + e.getMessage() + "; leave it out");
        }
        int unit = network.sizeMultiple() * downscale;
        if (height < 1 || width < 1 || height > LARGEST_SIDE || width > LARGEST_SIDE) {
            throw refused(height, width, ", expected sides from " + unit + " to " + LARGEST_SIDE);
        }
        String below = below(height, unit) + "x" + below(width, unit);
        String above = above(height, unit) + "x" + above(width, unit);
        if (height % unit != 0 || width % unit != 0) {
            throw refused(
                    height,
                    width,
                    ", expected multiples of " + unit + ", as many pixels as become one cell in " + network.name()
                            + (above.equals(below)
                                    ? "; take " + above
                                    : "; the nearest are " + below + " and " + above));
        }
        return sized;
    }

    private static int below(int side, int unit) {
        return Math.max(unit, side / unit * unit);
    }

    private static int above(int side, int unit) {
        return (side + unit - 1) / unit * unit;
    }

    private static RetortException refused(int height, int width, String why) {
        return new RetortException(Kind.USAGE, "size is " + height + "x" + width + why).about("size");
    }
}
