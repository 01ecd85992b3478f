package dev.retort.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/**
 * What a server sends back in the end, after all redirects.
 *
 * @param status 200, 206, or 416 where nothing of the file lies behind the asked position
 * @param headers of the server that sends the body
 * @param hub of the hub itself, which tells more about the file than the server that it points to
 */
record HubResponse(int status, HttpHeaders headers, HttpHeaders hub, InputStream body, Thread guard)
        implements AutoCloseable {
    private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

    /**
     * Opens the body: it is guarded, and unpacked where the server packed it though it was asked not to.
     *
     * @throws IOException where it is packed in a way that is not known, or not as the server says
     */
    static HubResponse of(int status, HttpHeaders headers, HttpHeaders hub, InputStream raw, RetryPolicy policy)
            throws IOException {
        Guarded guarded = new Guarded(raw, policy);
        Thread guard = guarded.guard();
        try {
            InputStream body =
                    switch (encoding(headers)) {
                        case "" -> guarded;
                        case "gzip", "x-gzip" -> new GZIPInputStream(guarded);
                        case "deflate" -> new InflaterInputStream(guarded);
                        default ->
                            throw new IOException("the server sent it packed as " + Quote.of(encoding(headers))
                                    + ", which was not asked for");
                    };
            return new HubResponse(status, headers, hub, body, guard);
        } catch (IOException | RuntimeException e) {
            guard.interrupt();
            raw.close();
            throw e;
        }
    }

    /** How the body is packed; empty for as it is. */
    private static String encoding(HttpHeaders headers) {
        String encoding =
                String.join(",", headers.allValues("content-encoding")).strip().toLowerCase(Locale.ROOT);
        return encoding.equals("identity") ? "" : encoding;
    }

    /** The body's first byte in the file; empty where the server sends another piece than a file of this size has. */
    OptionalLong start(long size) {
        if (status != 206) {
            return OptionalLong.of(0);
        }
        if (!encoding(headers).isEmpty()) {
            return OptionalLong.empty(); // a piece of what is packed
        }
        Matcher range = RANGE.matcher(headers.firstValue("content-range").orElse(""));
        return range.matches()
                        && (range.group(2).equals("*") || range.group(2).equals(String.valueOf(size)))
                        && range.group(1).length() < 19
                ? OptionalLong.of(Long.parseLong(range.group(1)))
                : OptionalLong.empty();
    }

    /** The hash that a header holds, without its quotes; empty where there is none. */
    static String etag(HttpHeaders headers, String name) {
        return headers.firstValue(name).orElse("").replaceFirst("^W/", "").replace("\"", "");
    }

    /** Whether what the hub says about the file agrees with its list. */
    boolean agreesWith(RemoteFile file) {
        String etag = hub.firstValue("x-linked-etag").isEmpty() ? file.hash() : etag(hub, "x-linked-etag");
        String size = hub.firstValue("x-linked-size").orElse(String.valueOf(file.size()));
        return etag.equals(file.hash()) && size.equals(String.valueOf(file.size()));
    }

    /** A body that is closed once too little of it came in too long a time; reading it then fails. */
    static final class Guarded extends InputStream {
        private final InputStream in;
        private final RetryPolicy policy;
        private final AtomicLong heard = new AtomicLong();
        private volatile String given;

        Guarded(InputStream in, RetryPolicy policy) {
            this.in = in;
            this.policy = policy;
        }

        Thread guard() {
            Thread guard = new Thread(this::listen, "hub-silence");
            guard.setDaemon(true);
            guard.start();
            return guard;
        }

        private void listen() {
            try {
                long came;
                do {
                    // a thread of its own: a read that waits for bytes cannot look at the clock
                    Thread.sleep(policy.silence().toMillis());
                    came = heard.getAndSet(0);
                } while (came >= policy.least());
                long seconds = policy.silence().toSeconds();
                given = came == 0
                        ? "nothing came for " + seconds + " s"
                        : "only " + ByteSize.text(came) + " came in " + seconds + " s";
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
                if (given != null) {
                    throw new IOException(given);
                }
                heard.addAndGet(Math.max(0, n));
                return n;
            } catch (IOException e) {
                throw given == null ? e : new IOException(given, e);
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
