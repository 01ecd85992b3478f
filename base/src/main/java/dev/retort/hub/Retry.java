package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.time.Duration;

/** Counts what fails in a row, waits longer each time, and in the end gives up. */
final class Retry {
    private final RetryPolicy policy;
    private final DownloadListener listener;
    private final String what;
    private int failures;

    /** @param what is attempted, for the messages */
    Retry(RetryPolicy policy, DownloadListener listener, String what) {
        this.policy = policy;
        this.listener = listener;
        this.what = what;
    }

    /** Something arrived: the next failure is a first one again. */
    void moved() {
        failures = 0;
    }

    /** Waits before the next attempt, as long as the server asks or the policy says. */
    void failed(IOException reason) {
        Duration asked = reason instanceof BusyException busy ? busy.asked() : Duration.ZERO;
        boolean hopeless = reason instanceof NoHostException && failures > 0;
        if (hopeless || failures == policy.pauses().size()) {
            throw new RetortException(
                    Kind.NETWORK,
                    what + " failed" + (failures > 0 ? " " + (failures + 1) + " times in a row" : "") + " ("
                            + text(reason)
                            + "); see whether the network and HF_ENDPOINT are right, then run the same command: it goes on"
                            + " where it stopped",
                    reason);
        }
        if (asked.compareTo(policy.longestAsked()) > 0) {
            throw new RetortException(
                    Kind.NETWORK,
                    what + " failed (" + text(reason) + "), and the hub asks for a pause of " + asked.toSeconds()
                            + " s; run the same command after that: it goes on where it stopped",
                    reason);
        }
        Duration pause = policy.pauses().get(failures++);
        pause = asked.compareTo(pause) > 0 ? asked : pause;
        listener.say(what + " failed (" + text(reason) + "); again in " + Math.max(1, pause.toSeconds()) + " s");
        pause(pause);
    }

    /** Waits for something else. */
    void pause(Duration time) {
        try {
            policy.pause().pause(time);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    static RetortException interrupted() {
        Thread.currentThread().interrupt();
        return new RetortException(
                Kind.INTERRUPTED, "the download was interrupted; the same command goes on where it stopped");
    }

    private static String text(IOException reason) {
        String text = reason.getMessage() == null || reason.getMessage().isBlank()
                ? reason.getClass().getSimpleName()
                : reason.getMessage();
        return Quote.of(text.lines().findFirst().orElse("").strip());
    }

    /** No address is known for a name. It is asked for once more, since a network that comes up knows none at first. */
    static final class NoHostException extends IOException {
        private static final long serialVersionUID = 1L;

        /** @param host the name */
        NoHostException(String host, IOException cause) {
            super("there is no host " + host, cause);
        }
    }

    /** The server is there but cannot answer now. */
    static final class BusyException extends IOException {
        private static final long serialVersionUID = 1L;
        private final transient Duration asked;

        /** @param asked the pause that it asks for, zero where it does not */
        BusyException(String message, Duration asked) {
            super(message);
            this.asked = asked;
        }

        Duration asked() {
            return asked;
        }
    }
}
