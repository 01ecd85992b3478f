package dev.retort.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The proxies of {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code ALL_PROXY}, and the hosts of {@code NO_PROXY} that are
 * asked without one; each name may also be in lower case. Java does not read them by itself. What they do not decide is
 * decided by Java's own settings ({@code https.proxyHost}).
 *
 * <p>Java sends a proxy's password through a tunnel only if {@code jdk.http.auth.tunneling.disabledSchemes} is empty when
 * its HTTP client is first used. The first hub of a process sees to that where a proxy has a password; a program that
 * uses {@code java.net.http} earlier must set it itself.
 *
 * @param environment the environment variables
 */
public record Proxies(Map<String, String> environment) {
    /** None but those of Java's own settings. */
    public static final Proxies NONE = new Proxies(Map.of());

    private static final List<String> VARIABLES = List.of("https_proxy", "http_proxy", "all_proxy");

    public Proxies {
        environment = Map.copyOf(environment);
    }

    /**
     * The proxy that an address is asked through; empty where the environment names none for it.
     *
     * @throws dev.retort.error.RetortException of kind ENVIRONMENT where it names one that cannot be used
     */
    Optional<ProxyServer> of(URI uri) {
        String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
        int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
        if (NoProxy.of(value("no_proxy").orElse("")).excludes(uri.getHost(), port)) {
            return Optional.empty();
        }
        return variable(scheme + "_proxy")
                .or(() -> variable("all_proxy"))
                .map(variable ->
                        ProxyServer.parse(variable, environment.get(variable).strip()));
    }

    /** Whether some proxy has a password. */
    boolean havePassword() {
        return VARIABLES.stream().anyMatch(name -> value(name).orElse("").contains("@"));
    }

    /** Asks these before Java's own settings. */
    ProxySelector selector() {
        return new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                Optional<ProxyServer> server = Proxies.this.of(uri);
                if (server.isPresent()) {
                    return List.of(new Proxy(
                            Proxy.Type.HTTP,
                            InetSocketAddress.createUnresolved(
                                    server.get().host(), server.get().port())));
                }
                ProxySelector own = ProxySelector.getDefault();
                return own == null ? List.of(Proxy.NO_PROXY) : own.select(uri);
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException e) {
                // the request itself fails and says so
            }
        };
    }

    private Optional<String> value(String name) {
        return variable(name).map(environment::get);
    }

    /** The variable's name as it is set; in lower case before upper, as everywhere. */
    private Optional<String> variable(String name) {
        return Optional.of(name).filter(this::isSet).or(() -> Optional.of(name.toUpperCase(Locale.ROOT))
                .filter(this::isSet));
    }

    private boolean isSet(String name) {
        return !environment.getOrDefault(name, "").isBlank();
    }

    /** Without the variables, which may hold passwords. */
    @Override
    public String toString() {
        return "Proxies"
                + environment.keySet().stream()
                        .filter(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"))
                        .sorted()
                        .toList();
    }
}
