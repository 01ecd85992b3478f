package dev.retort.hub;

import java.time.Duration;
import java.util.List;

/**
 * How long a hub that is slow, busy or gone is waited for.
 *
 * @param pauses before the second attempt, the third, and so on; one attempt more than pauses is made
 * @param longestAsked a server that asks for a longer pause than this is not waited for
 * @param silence a server that sends no answer for so long is given up
 * @param least a connection that brings fewer bytes than this in that time is given up, too
 * @param pause how to wait
 */
public record RetryPolicy(List<Duration> pauses, Duration longestAsked, Duration silence, int least, Pause pause) {
    /** Half a minute of pauses in all, unless the server names longer ones. */
    public static final RetryPolicy USUAL = new RetryPolicy(
            List.of(
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(4),
                    Duration.ofSeconds(8),
                    Duration.ofSeconds(16)),
            Duration.ofMinutes(5),
            Duration.ofSeconds(20),
            1 << 14,
            time -> Thread.sleep(time.toMillis()));

    /** Waits. */
    @FunctionalInterface
    public interface Pause {
        /** Returns after that time. */
        void pause(Duration time) throws InterruptedException;
    }

    public RetryPolicy {
        pauses = List.copyOf(pauses);
    }

    /** The same with a single attempt, for what can be done without. */
    RetryPolicy once() {
        return new RetryPolicy(List.of(), longestAsked, silence, least, pause);
    }
}
