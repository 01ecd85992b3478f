package dev.retort.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server sends back in the end, after all redirects.
 *
 * @param status 200, 206, or 416 where nothing of the file lies behind the asked position
 * @param headers of the server that sends the body
 * @param hub of the hub itself, which tells more about the file than the server that it points to
 */
record Answer(int status, HttpHeaders headers, HttpHeaders hub, InputStream body, Thread guard)
        implements AutoCloseable {
    private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

    /** The body's first byte in the file; empty where the server sends another piece than a file of this size has. */
    OptionalLong start(long size) {
        if (status != 206) {
            return OptionalLong.of(0);
        }
        Matcher range = RANGE.matcher(headers.firstValue("content-range").orElse(""));
        return range.matches()
                        && (range.group(2).equals("*") || range.group(2).equals(String.valueOf(size)))
                        && range.group(1).length() < 19
                ? OptionalLong.of(Long.parseLong(range.group(1)))
                : OptionalLong.empty();
    }

    /** Whether what the hub says about the file agrees with its list. */
    boolean agreesWith(RemoteFile file) {
        String etag = hub.firstValue("x-linked-etag")
                .orElse(file.hash())
                .replaceFirst("^W/", "")
                .replace("\"", "");
        String size = hub.firstValue("x-linked-size").orElse(String.valueOf(file.size()));
        return etag.equals(file.hash()) && size.equals(String.valueOf(file.size()));
    }

    /** A body that is closed once it has been silent for too long; reading it then fails. */
    static final class Guarded extends InputStream {
        private final InputStream in;
        private final Duration silence;
        private volatile long heard = System.nanoTime();
        private volatile boolean silent;

        Guarded(InputStream in, Duration silence) {
            this.in = in;
            this.silence = silence;
        }

        Thread guard() {
            Thread guard = new Thread(this::listen, "hub-silence");
            guard.setDaemon(true);
            guard.start();
            return guard;
        }

        private void listen() {
            try {
                long left = silence.toNanos();
                while (left > 0) {
                    Thread.sleep(left / 1_000_000 + 1);
                    left = heard + silence.toNanos() - System.nanoTime();
                }
                silent = true;
                in.close();
            } catch (InterruptedException | IOException e) {
                // the body was read, or is closed already
            }
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            try {
                int n = in.read(into, offset, length);
                heard = System.nanoTime();
                if (silent) {
                    throw new IOException("silence");
                }
                return n;
            } catch (IOException e) {
                throw silent ? new IOException("nothing came for " + silence.toSeconds() + " s", e) : e;
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    @Override
    public void close() {
        guard.interrupt();
        try {
            body.close();
        } catch (IOException e) {
            // all that was wanted has been read
        }
    }
}
