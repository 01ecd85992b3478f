package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import javax.net.ssl.SSLException;

/**
 * Requests to the hub. Redirects are followed by hand: the token goes to the hub alone, never to the servers that it points
 * to, and the hub's own headers are kept.
 */
final class Wire {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> BUSY = Set.of(408, 425, 429, 500, 502, 503, 504);

    private final HubSettings settings;
    private final Patience patience;
    private final HttpClient client;

    Wire(HubSettings settings, Patience patience) {
        this.settings = settings;
        this.patience = patience;
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT)
                .proxy(new EnvironmentProxy(System.getenv()))
                .build();
    }

    /**
     * Asks once.
     *
     * @param path below the endpoint, escaped
     * @param from first byte that is wanted
     * @param asked what the request is for, to be named where the hub refuses it
     * @throws IOException where another attempt may succeed
     * @throws RetortException where none would
     */
    Answer get(String path, long from, HubName asked) throws IOException {
        URI uri = URI.create(settings.endpoint() + path);
        HttpHeaders hub = null;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            HttpResponse<InputStream> response = send(uri, from);
            int status = response.statusCode();
            // of the hub's own answers the first that describes the file counts; a renamed repository answers twice
            if (isHub(uri) && (hub == null || hub.firstValue("x-linked-etag").isEmpty())) {
                hub = response.headers();
            }
            if (status == 200 || status == 206 || status == 416 && from > 0) {
                Answer.Guarded body = new Answer.Guarded(response.body(), patience.silence());
                return new Answer(status, response.headers(), hub, body, body.guard());
            }
            response.body().close();
            if (REDIRECTS.contains(status)) {
                uri = next(uri, response.headers());
            } else if (BUSY.contains(status)) {
                throw new Attempts.BusyException(
                        uri.getHost() + " answered " + status, pauseAsked(response.headers(), Instant.now()));
            } else {
                throw Refusal.of(status, response.headers(), asked, uri, settings);
            }
        }
        throw new RetortException(
                Kind.NETWORK,
                asked + " leads from redirect to redirect (" + MOST_REDIRECTS
                        + " times); see whether HF_ENDPOINT is a hub");
    }

    private HttpResponse<InputStream> send(URI uri, long from) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(patience.silence())
                .header("User-Agent", "retort/0.1")
                .header("Accept-Encoding", "identity");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (isHub(uri) && !settings.token().isEmpty()) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        try {
            return client.send(request.build(), BodyHandlers.ofInputStream());
        } catch (ConnectException e) {
            boolean unknown = e.getCause() instanceof UnresolvedAddressException
                    || e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException;
            throw new IOException(
                    unknown ? "there is no host " + uri.getHost() : uri.getHost() + " does not answer", e);
        } catch (SSLException e) {
            throw untrusted(uri, e);
        } catch (InterruptedException e) {
            throw Attempts.interrupted();
        }
    }

    /** A certificate that is not trusted now will not be trusted in a second; other troubles of TLS may pass. */
    private static SSLException untrusted(URI uri, SSLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                throw new RetortException(
                        Kind.NETWORK,
                        "the certificate of " + uri.getHost() + " is not trusted ("
                                + String.valueOf(cause.getMessage())
                                        .lines()
                                        .findFirst()
                                        .orElse("")
                                + "); where a proxy opens encrypted connections, add its certificate to the trust store of"
                                + " the JDK",
                        e);
            }
        }
        return e;
    }

    /** Same scheme, host and port as the endpoint. */
    private boolean isHub(URI uri) {
        URI endpoint = settings.endpoint();
        return endpoint.getScheme().equalsIgnoreCase(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && port(endpoint) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }

    private static URI next(URI from, HttpHeaders headers) {
        String location = headers.firstValue("location").orElse("");
        try {
            URI uri = from.resolve(location);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            boolean unveiled = "https".equals(from.getScheme()) && "http".equals(uri.getScheme());
            if (web && !unveiled && uri.getHost() != null && !location.isBlank()) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // refused below, like every place that is none
        }
        throw new RetortException(
                Kind.NETWORK,
                from.getHost() + " leads to '" + location.substring(0, Math.min(80, location.length()))
                        + "', where nothing is fetched from; see whether HF_ENDPOINT is a hub");
    }

    /** {@code Retry-After}: seconds, or a date. */
    static Duration pauseAsked(HttpHeaders headers, Instant now) {
        String text = headers.firstValue("retry-after").orElse("").strip();
        if (text.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(text));
        }
        try {
            Duration until = Duration.between(
                    now,
                    ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                            .toInstant());
            return until.isNegative() ? Duration.ZERO : until;
        } catch (DateTimeException e) {
            return Duration.ZERO;
        }
    }
}
