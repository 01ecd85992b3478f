package dev.retort.train;

import dev.retort.config.Require;
import java.util.Locale;

/**
 * Where a logged value is expected, as it lay there in earlier runs.
 *
 * @param images images seen: the first line of the log from there on that has the value is looked at
 * @param of name of the value, such as {@code loss/output} or {@code held-out/diffusion}
 * @param from least value
 * @param to largest value
 */
public record Band(long images, String of, double from, double to) {
    /** Validates. */
    public Band {
        Require.atLeast("images", images, 1);
        Require.that(!of.isBlank(), "of", "empty", "the name of a value in the log, such as loss/diffusion");
        Require.that(Double.isFinite(from), "from", from, "a number");
        Require.atLeast("to", to, from);
    }

    /** Whether a value lies in it; one that is no number does not. */
    boolean holds(double value) {
        return value >= from && value <= to;
    }

    /** What a value outside means, in a sentence. */
    String sentence(double value, long imagesSeen) {
        String causes = value < from
                ? "below lie runs that ask about easier times (timeMean), whose images repeat, or whose target follows a"
                        + " student that collapsed"
                : "above lie runs that ask about other times (timeMean), whose rate is too high (run.optimizer.lr), or"
                        + " whose data, teacher or first weights are others";
        return String.format(
                Locale.ROOT,
                "%s is %.4g at %d images, expected %.4g to %.4g (run.log.expect): %s; compare the settings with those of the"
                        + " runs that the band was taken from",
                of,
                value,
                imagesSeen,
                from,
                to,
                causes);
    }
}
