package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/**
 * Requests to the hub. Redirects are followed by hand: the token goes to the hub alone, never to the servers that it points
 * to, and the hub's own headers are kept.
 */
final class HubClient {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> BUSY = Set.of(408, 425, 429, 500, 502, 503, 504);

    /** What the JDK throws where a proxy answers the wish for a tunnel with anything but 200 and 407. */
    private static final Pattern NO_TUNNEL = Pattern.compile("Tunnel failed, got: (\\d{3}).*");

    /** The JDK sends no password through a tunnel where this says so, as it does by default. */
    private static final String DISABLED_SCHEMES = "jdk.http.auth.tunneling.disabledSchemes";

    private final HubSettings settings;
    private final RetryPolicy policy;
    private final HttpClient client;

    HubClient(HubSettings settings, RetryPolicy policy) {
        this.settings = settings;
        this.policy = policy;
        if (settings.proxies().havePassword() && System.getProperty(DISABLED_SCHEMES) == null) {
            System.setProperty(DISABLED_SCHEMES, "");
        }
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT)
                .proxy(settings.proxies().selector())
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
    HubResponse get(String path, long from, HubName asked) throws IOException {
        Reached reached = reach("GET", path, from, asked);
        HttpResponse<InputStream> response = reached.response();
        return HubResponse.of(response.statusCode(), response.headers(), reached.hub(), response.body(), policy);
    }

    /** Asks once for what the hub says about a file; throws as {@link #get}. */
    HttpHeaders describe(String path, HubName asked) throws IOException {
        Reached reached = reach("HEAD", path, 0, asked);
        close(reached.response());
        return reached.hub();
    }

    /**
     * The end of a chain of redirects.
     *
     * @param response with its body open
     * @param hub what the hub itself said
     */
    private record Reached(HttpResponse<InputStream> response, HttpHeaders hub) {}

    private Reached reach(String method, String path, long from, HubName asked) throws IOException {
        URI uri = URI.create(settings.endpoint() + path);
        HttpHeaders hub = null;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            HttpResponse<InputStream> response = send(method, uri, from);
            int status = response.statusCode();
            // of the hub's own answers the first that describes the file counts; a renamed repository answers twice
            if (isHub(uri) && (hub == null || hub.firstValue("x-linked-etag").isEmpty())) {
                hub = response.headers();
            }
            boolean described = method.equals("HEAD")
                    && REDIRECTS.contains(status)
                    && hub.firstValue("x-linked-etag").isPresent();
            if (status == 200 || status == 206 || status == 416 && from > 0 || described) {
                return new Reached(response, hub);
            }
            close(response);
            if (REDIRECTS.contains(status)) {
                uri = Location.next(
                        uri, response.headers().firstValue("location").orElse(""));
            } else if (BUSY.contains(status)) {
                throw new Retry.BusyException(
                        uri.getHost() + " answered " + status, pauseAsked(response.headers(), Instant.now()));
            } else if (status == 407) {
                throw HubErrors.byProxy(response.headers(), settings.proxies().of(uri));
            } else {
                throw HubErrors.of(status, response.headers(), asked, uri, settings);
            }
        }
        throw new RetortException(
                Kind.NETWORK,
                asked + " leads from redirect to redirect (" + MOST_REDIRECTS
                        + " times); see whether HF_ENDPOINT is a hub");
    }

    /** A proxy that refuses a tunnel leaves no body. */
    private static void close(HttpResponse<InputStream> response) throws IOException {
        if (response.body() != null) {
            response.body().close();
        }
    }

    private HttpResponse<InputStream> send(String method, URI uri, long from) throws IOException {
        Optional<ProxyServer> proxy = settings.proxies().of(uri);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .method(method, BodyPublishers.noBody())
                .timeout(policy.silence())
                .header("User-Agent", "retort/0.1")
                .header("Accept-Encoding", "identity");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (isHub(uri) && !settings.token().isEmpty()) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        proxy.map(ProxyServer::authorization)
                .filter(authorization -> !authorization.isEmpty())
                .ifPresent(authorization -> request.header("Proxy-Authorization", authorization));
        String asked = proxy.map(server -> "the proxy " + server).orElse(uri.getHost());
        try {
            return client.send(request.build(), BodyHandlers.ofInputStream());
        } catch (ConnectException e) {
            boolean unknown = e.getCause() instanceof UnresolvedAddressException
                    || e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException;
            throw unknown
                    ? new Retry.NoHostException(proxy.map(ProxyServer::host).orElse(uri.getHost()), e)
                    : new IOException(asked + " does not answer", e);
        } catch (HttpTimeoutException e) {
            boolean unconnected = e instanceof HttpConnectTimeoutException;
            long seconds = (unconnected ? CONNECT : policy.silence()).toSeconds();
            throw new IOException(asked + " does not answer within " + seconds + " s", e);
        } catch (SSLException e) {
            throw untrusted(uri, e);
        } catch (InterruptedException e) {
            throw Retry.interrupted();
        } catch (IOException e) {
            Matcher noTunnel = NO_TUNNEL.matcher(String.valueOf(e.getMessage()));
            if (!noTunnel.matches()) {
                throw e;
            }
            int status = Integer.parseInt(noTunnel.group(1));
            if (BUSY.contains(status)) {
                throw new IOException(asked + " answered " + status + " for " + uri.getHost(), e);
            }
            throw HubErrors.ofTunnel(status, asked, uri, e);
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
