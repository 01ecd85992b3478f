package dev.retort.diffusion;

/**
 * Classifier-free guidance of a network output: u + s (c - u) with c the conditional and u the unconditional output (Ho and Salimans 2022), inside
 * an interval of time only (Kynkaanniemi et al. 2024), on all channels or the first ones.
 *
 * @param scale the strength, in the given form
 * @param form how the number is meant
 * @param from the cleanest time at which guidance acts, in the network's time
 * @param to the noisiest
 * @param channels how many leading channels of the output are guided, 0 for all (3 for published DiT weights)
 * @param rescale the r of Lin et al. 2024, eq. 15 and 16, which takes back the contrast that guidance adds: the guided output g becomes
 *     g (r std(c) / std(g) + 1 - r), each std over all guided values of a sample; 0 for none
 */
public record Guidance(double scale, Form form, double from, double to, int channels, double rescale) {
    /** No guidance: the conditional output alone. */
    public static final Guidance NONE = standard(1);

    /** Two ways of writing the same number. */
    public enum Form {
        /** u + g (c - u); 1 is no guidance. */
        STANDARD,
        /** c + w (c - u), g = w + 1; 0 is no guidance. */
        OFFSET
    }

    public Guidance {
        if (!Double.isFinite(scale)) {
            throw new IllegalArgumentException("scale is " + scale + ", expected a finite number");
        }
        if (!(from <= to)) {
            throw new IllegalArgumentException(
                    "the guidance interval is " + from + ".." + to + "; expected from at most to");
        }
        if (channels < 0) {
            throw new IllegalArgumentException(
                    "channels is " + channels + ", expected 0 for all or the number of leading ones");
        }
        if (!(rescale >= 0 && rescale <= 1)) {
            throw new IllegalArgumentException("rescale is " + rescale + ", expected 0 to 1");
        }
    }

    /** u + g (c - u), always, on all channels. */
    public static Guidance standard(double scale) {
        return new Guidance(scale, Form.STANDARD, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 0, 0);
    }

    /** c + w (c - u), always, on all channels. */
    public static Guidance offset(double scale) {
        return new Guidance(scale, Form.OFFSET, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 0, 0);
    }

    /** The same between two times of the network, both included. */
    public Guidance within(double from, double to) {
        return new Guidance(scale, form, from, to, channels, rescale);
    }

    /** The same on the first channels only. */
    public Guidance onChannels(int channels) {
        return new Guidance(scale, form, from, to, channels, rescale);
    }

    /** The same with its contrast taken back. */
    public Guidance rescaled(double share) {
        return new Guidance(scale, form, from, to, channels, share);
    }

    /** The g of u + g (c - u) at a time; 1 (so that u need not be computed) outside the interval. */
    public double standardScaleAt(double time) {
        if (time < from || time > to) {
            return 1;
        }
        return form == Form.STANDARD ? scale : scale + 1;
    }

    /** Whether the unconditional output is needed at a time. */
    public boolean actsAt(double time) {
        return standardScaleAt(time) != 1;
    }

    /** How many of {@code available} channels are guided. */
    public int guidedChannels(int available) {
        if (channels > available) {
            throw new IllegalArgumentException("guidance on " + channels + " channels of a network with " + available
                    + "; expected at most " + available);
        }
        return channels == 0 ? available : channels;
    }
}
