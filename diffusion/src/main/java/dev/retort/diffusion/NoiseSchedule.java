package dev.retort.diffusion;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;

/**
 * How a clean sample is noised: at time t, x = alpha(t) x0 + sigma(t) eps with eps standard normal. The time is the number the network
 * is given: 0..T-1 for tables, 0..1 for flows, sigma for Karras, an angle for TrigFlow. Noise grows with time.
 */
public sealed interface NoiseSchedule permits CosineLogSnr, DiscreteSchedule, FlowLinear, KarrasSchedule, TrigFlow {

    /** The factor before the clean sample. */
    double alpha(double time);

    /** The factor before the noise. */
    double sigma(double time);

    /** The time with the most noise, where sampling may start. */
    double noisiestTime();

    /** The time solvers aim at, with the least noise: none at all, but for {@link CosineLogSnr}. */
    double cleanTime();

    /** The time at which sigma/alpha has the given value, between clean and noisiest. */
    double timeOfRatio(double noiseRatio);

    /** A stable description with every setting, for metadata and comparison: equal names mean equal schedules. */
    String name();

    /** sigma / alpha, the noise level in the coordinates x / alpha; infinite where alpha is 0. */
    default double noiseRatio(double time) {
        return sigma(time) / alpha(time);
    }

    /** The signal-to-noise ratio alpha^2 / sigma^2. */
    default double snr(double time) {
        double ratio = alpha(time) / sigma(time);
        return ratio * ratio;
    }

    /** ln(alpha^2 / sigma^2). */
    default double logSnr(double time) {
        return 2 * StrictMath.log(alpha(time) / sigma(time));
    }

    /** The point of a grid at a time: what the network is told, and the two factors. */
    default TimeGrid.Point point(double time) {
        return new TimeGrid.Point(time, alpha(time), sigma(time));
    }

    /** The point of a grid with a given sigma / alpha; the network is told the time that comes nearest. */
    default TimeGrid.Point pointOfRatio(double noiseRatio) {
        return point(timeOfRatio(noiseRatio));
    }

    /**
     * Sixteen hex digits that change whenever the name or any of the values does, for metadata: SHA-256 of the name and of
     * alpha and sigma (as floats, so that they are the same on every machine) at 65 times.
     */
    default String hash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(name().getBytes(StandardCharsets.UTF_8));
            ByteBuffer values = ByteBuffer.allocate(65 * 8);
            for (int i = 0; i <= 64; i++) {
                double time = cleanTime() + (noisiestTime() - cleanTime()) * i / 64;
                values.putFloat((float) alpha(time)).putFloat((float) sigma(time));
            }
            return String.format(
                    Locale.ROOT,
                    "%016x",
                    ByteBuffer.wrap(digest.digest(values.array())).getLong());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
